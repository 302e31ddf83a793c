"""A good line of each log, for tests that break it."""

GOOD_LINES = {
    "impressions": "i1,2026-01-05T10:00:00Z,ann,s1,home,1,shoe,0.5,v1,2026-01-04-0a1b2c3d,c1,{}",
    "events": "e1,2026-01-05T10:00:00Z,ann,s1,shoe,view,i1",
    "purchases": "o1,1,2026-01-05T10:00:00Z,ann,s1,shoe,1,100,60,EUR,false,false",
    "items": "shoe,Shoe,https://x,https://x,shoes,brand,100,60,EUR,{}",
    "users": "ann,north,phone,2026-01-05T10:00:00Z,{}",
    "ad_impressions": "a1,2026-01-05T10:00:00Z,ann,c,feed,cr,1,0.5,true,0,0",
    "ad_spend_daily": "2026-01-05,c,search,all,1,1,1,1,1",
}
"""Log → a good line of it, in the order of the contract's columns."""
