"""The headings of columns: their plain forms, and the words for each role in five languages.

The first words of a role are the most specific: `created_at` is the time of an order before `paid_at` is.
"""

import re
import unicodedata
from collections.abc import Mapping

# Words of English, German, French, Spanish and Chinese exports, in the form of `plain_heading`.
WORDS_OF_ROLES: Mapping[str, str] = {
    "event_id": "event_id eventid event_uuid hit_id message_id insert_id log_id event_key ereignis_id "
    "事件id 日志id",
    "impression": "impression_id ad_impression_id display_id imp_id exposure_id anzeige_id 曝光id",
    "event": "event event_type event_name type action behavior behaviour ereignis aktion typ evenement "
    "evento tipo accion 事件 行为 行为类型 事件类型 behavior_type",
    "signup": "signup signup_at signup_date signed_up_at sign_up registered registered_at "
    "registration_date anmeldedatum registriert_am date_inscription fecha_registro 注册时间 注册日期",
    "cancelled": "is_cancelled is_canceled cancelled canceled cancelled_at canceled_at cancellation_date "
    "storniert storno annule annulee annulation cancelado anulado 是否取消 取消时间 order_status "
    "financial_status status bestellstatus auftragsstatus statut etat estado 订单状态 交易状态",
    "order": "order_id order_no order_number order_nr order orderid increment_id invoice_no invoice_id "
    "invoice transaction_id transaction receipt receipt_no receipt_id basket_id bestellnummer bestell_nr "
    "bestellnr bestell_id bestellung auftragsnummer auftrag auftrag_nr rechnungsnummer belegnummer "
    "commande id_commande numero_commande numero_de_commande no_commande n_commande n_de_commande "
    "reference_commande reference_de_commande pedido id_pedido numero_pedido num_pedido numero_de_pedido "
    "n_pedido no_pedido 订单编号 订单号 订单id 主订单编号 交易号 单号",
    "line": "line line_no line_number line_id order_line order_line_id order_item_id line_item_id "
    "positionsnummer pos bestellposition ligne linea 行号 子订单编号",
    "time": "ordered_at order_date ordered_on event_time occurred_at event_timestamp shown_at created_at "
    "date_created created timestamp time_stamp ts event_date sent_at at when datetime date_time "
    "order_time day date time paid_at purchase_date reporting_starts reporting_start report_date "
    "date_start start_day bestelldatum bestellzeit bestellt_am "
    "auftragsdatum rechnungsdatum kaufdatum zeitstempel zeitpunkt datum zeit tag date_commande "
    "date_de_commande date_de_la_commande date_achat horodatage jour fecha_pedido fecha_de_pedido "
    "fecha_compra fecha dia 下单时间 订单创建时间 创建时间 付款时间 支付时间 交易时间 订单付款时间 时间 "
    "日期",
    "clock": "time hour clock uhrzeit zeit heure hora time_of_day order_time 时刻",
    "user": "user_id customer_id userid customerid user_pseudo_id visitor_id client_id member_id "
    "account_id person_id buyer_id shopper_id user_key customer_key customer_no customer_number user_no "
    "anonymous_id uid cid user customer visitor client member account person kunde kunden_id kundennummer "
    "kunden_nr kundennr kdnr besucher nutzer nutzer_id id_client n_client no_client numero_client "
    "code_client visiteur cliente id_cliente usuario id_usuario 用户id 用户编号 会员id 会员编号 买家id "
    "客户编号 客户id 顾客编号 顾客id",
    "session": "session_id session sessionid visit_id visit ga_session_id user_session sitzung besuch "
    "visite sesion 会话id 会话",
    "item": "item_id product_id itemid productid sku item_sku product_sku lineitem_sku line_item_sku "
    "article_id article_no article_number stock_code stockcode item_code product_code item_number "
    "variant_id asin aid item product article stock thing artikelnummer artikel_nr artikelnr art_nr "
    "artikel_id artikel produktnummer produkt_id produkt id_produit reference_produit code_article "
    "code_produit ref_produit produit id_producto codigo_producto codigo_articulo producto articulo "
    "商品编号 商品id 商品编码 宝贝id 货号 商家编码 sku编码 商品代码 商品sku reference referencia ref "
    "lineitem_name item_name product_name artikelname artikelbezeichnung nom_produit 商品名称 宝贝标题 "
    "商品标题 商品",
    "quantity": "quantity qty lineitem_quantity item_quantity product_quantity quantity_ordered "
    "qty_ordered pieces units unit menge anzahl stuck stueck stueckzahl stuckzahl anz quantite qte "
    "cantidad cant unidades 数量 购买数量 商品数量 件数 宝贝总数量",
    "price": "unit_price price item_price price_per_unit lineitem_price product_price item_cost sale_price "
    "price_each unit_price_tax_incl einzelpreis stuckpreis stueckpreis preis verkaufspreis vk_preis "
    "prix_unitaire prix_unitaire_ttc prix precio_unitario precio pvp 单价 商品单价 价格 售价 商品价格 "
    "宝贝价格",
    "total": "line_total item_total row_total total amount value subtotal total_price gesamtpreis gesamt "
    "gesamtbetrag summe betrag zeilensumme positionspreis total_ttc montant importe total_linea 金额 总价 "
    "小计 实付金额 商品金额 买家实际支付金额 总金额",
    "currency": "currency currency_code wahrung waehrung devise monnaie moneda divisa 币种 货币",
    "slot": "slot rank position place_no platz rang posicion 位置 坑位",
    "propensity": "propensity propensity_score action_prob action_probability probability chance prob "
    "pscore wahrscheinlichkeit probabilite probabilidad 概率",
    "surface": "surface page widget placement_id page_type screen seite pagina 页面 场景",
    "policy": "policy policy_version policy_id policy_name variant arm algorithm algo model_version 策略",
    "n_impressions": "impressions impr displays n_impressions views shown impressionen einblendungen "
    "affichages impresiones 曝光量 曝光 展现量 展示量 展示次数",
    "click": "clicks click clicked is_clicked link_clicks is_click klicks klick geklickt clics clic "
    "cliques 点击量 点击 点击数 点击次数 是否点击",
    "conversions": "conversions conversion conv purchases orders n_orders sales_count results total_orders "
    "website_purchases all_conv konversionen bestellungen achats conversiones compras 转化数 转化量 "
    "成交订单数 total_advertiser_attributed_conversions",
    "cost": "cost spend spent cost_cents spend_cents cost_micros amount_spent costs ad_spend total_spend "
    "kosten ausgaben werbekosten cout couts depenses depense montant_depense coste costo gasto gastos "
    "importe_gastado 花费 消耗 费用 消费",
    "revenue": "revenue revenue_cents conversion_value conv_value conversions_value total_conv_value "
    "purchase_value purchases_conversion_value purchase_conversion_value "
    "website_purchases_conversion_value sales total_sales sales_amount umsatz conv_wert conversion_wert "
    "conversionwert einnahmen chiffre_d_affaires valeur_de_conversion revenus ingresos valor_conv "
    "valor_de_conversion ventas 转化金额 成交金额 销售额",
    "campaign": "campaign_id campaign campaign_name campaign_number campaign_no kampagne kampagnen_id "
    "kampagnenname campagne id_campagne nom_de_la_campagne campana nombre_de_la_campana 广告系列 推广计划 "
    "计划名称 计划",
    "channel": "channel network network_with_search_partners medium placement place source utm_source "
    "utm_medium publisher_platform kanal werbenetzwerk canal reseau red 渠道 投放渠道",
    "creative": "creative_id creative banner banner_id ad_id ad ad_name picture anzeige anzeigenname "
    "annonce anuncio 创意 创意名称",
    "segment": "segment segment_id audience audience_id customer_segment user_engagement zielgruppe "
    "segmento 人群 受众",
    "category": "category category_code category_name category_id product_category department product_type "
    "kategorie warengruppe categorie categoria 类目 分类 商品类目 商品分类",
    "brand": "brand manufacturer vendor marke hersteller marque marca fabricante 品牌",
    "region": "region country state country_code land bundesland pays pais provincia 地区 省份 国家",
    "device": "device device_type device_category platform gerat geraet appareil dispositivo 设备 平台",
    # An id of an unknown kind.
    "any_id": "id uuid guid _id row_id record_id key hash lfd_nr nr",
}

# Patterns of the first words of each role, where a shop puts its own words before or after.
PATTERNS_OF_ROLES: Mapping[str, str] = {
    # Times of something else that happens to an order or to a person are none of these.
    "time": r"(?!.*(ship|deliver|liefer|livraison|envio|updat|modif|birth|expir|limit|estimat|due|valid|"
    r"review|answer|respon|发货|收货|修改|更新))(.*(time|date|timestamp|datum|zeit|fecha|时间|日期)|.*_(at|ts)|(date|time).*)",
    "session": r".*session(_?id)?",
    "price": r"(?!.*(total|shipping|tax|delivery)).*(price|preis|prix|precio|单价).*",
    "cost": r".*_(cost|spend)(_cents|_micros)?",
    "conversions": r"(?!.*(value|rate|cost|per|wert)).*conversions?|(\d+_day_)?total_orders",
    "revenue": r"(?!.*(cost|roas|per|rate)).*(revenue|sales_amount|conversion_value).*"
    r"|(\d+_day_)?total_sales",
    "currency": r"currency.*",
    "segment": r"(segment|audience|user_engagement).*",
    "category": r".*category(_?(code|name|id|\d))?",
    "device": r"device.*",
    "region": r".*_(state|country|region)",
    "creative": r"(creative|banner).*",
}

_PERSONAL = re.compile(
    r"e_?mail|phone|mobile|fax|(^|_)(tel|ip|dob|ssn|iban|bic)(_|$)|"
    r"(first|last|full|sur|customer|user|given|family|contact|middle|recipient|buyer|cardholder)_?name|"
    r"^(name|names|customer|buyer)_name$|(billing|shipping|delivery)_(name|street|city|company|province)|"
    r"address|street|birth|passport|card_?number|zip|post_?code|(^|_)(age|gender|sex)(_|$)|"
    r"vorname|nachname|anrede|strasse|hausnummer|(^|_)plz(_|$)|telefon|handy|geburt|"
    r"(^|_)(prenom|nom)(_(client|de_famille|du_client))?$|adresse|code_postal|naissance|"
    r"nombre(_(cliente|del_cliente))?$|apellido|direccion|codigo_postal|correo|nacimiento|"
    r"姓名|收货人|收件人|联系人|电话|手机|地址|邮箱|昵称|会员名|旺旺|身份证|生日|性别|年龄|支付宝账号|留言",
)
_ISO_CURRENCY = re.compile(
    r"(?<![A-Za-z])(EUR|USD|GBP|CHF|JPY|CNY|RMB|SEK|NOK|DKK|PLN|CZK|BRL|INR|AUD|CAD|MXN|TRY|KRW)(?![A-Za-z])",
    re.IGNORECASE,
)
_SIGN_CURRENCY = {"€": "EUR", "£": "GBP", "₹": "INR", "￥": "CNY", "元": "CNY", "zł": "PLN"}


def plain_heading(name: str) -> str:
    """Return a heading in lower case, its words separated by underscores, without accents, units and signs.

    >>> [plain_heading(name) for name in ("CustomerID", " Stückpreis (EUR)", "Conv. value", "ORDER-NO.")]
    ['customer_id', 'stuckpreis', 'conv_value', 'order_no']
    """
    text = unicodedata.normalize("NFKC", name).replace("ß", "ss")
    text = re.sub(r"[(\[].*?[)\]]|\bin (EUR|USD|GBP|CHF|€|\$|£)\s*$", " ", text, flags=re.IGNORECASE)
    text = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", text)
    text = "".join(
        letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter)
    )
    return re.sub(r"[^\w]+|_+", "_", text.lower()).strip("_") or "_id" * (name.strip() == "_id")


def heading_currency(name: str) -> str | None:
    """Return the ISO code that a heading names, by itself or by a sign: `Preis (€)`."""
    if found := _ISO_CURRENCY.search(name.replace("_", " ")):
        return "CNY" if found[0].upper() == "RMB" else found[0].upper()
    return next((code for sign, code in _SIGN_CURRENCY.items() if sign in name), None)


def heading_is_personal(name: str) -> bool:
    """Return whether a heading is that of a column that identifies a person."""
    return _PERSONAL.search(plain_heading(name)) is not None


def heading_rank(role: str, name: str) -> int | None:
    """Return the rank of a heading for a role, 0 the best; None where it does not fit."""
    plain = plain_heading(name)
    words = WORDS_OF_ROLES[role].split()
    if plain in words:
        return words.index(plain)
    pattern = PATTERNS_OF_ROLES.get(role)
    return len(words) if pattern and re.fullmatch(pattern, plain) else None


def is_telling(role: str, name: str) -> bool:
    """Return whether a heading is exactly one of the words of a role, not only similar."""
    rank = heading_rank(role, name.rpartition(".")[2])
    return rank is not None and rank < len(WORDS_OF_ROLES[role].split())
