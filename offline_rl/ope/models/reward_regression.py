"""Reward models q̂(x, a) out of scikit-learn, fitted on some rounds to predict for all actions of others."""

from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
from scipy.special import expit
from sklearn.base import clone, is_classifier
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge

from offline_rl.ope.models.action_features import Standardization, categories_or_one_hot, interactions
from offline_rl.ope.records import Floats, Ints

MOST_TREE_ACTIONS = 255
"""Most categories that HistGradientBoosting can have."""


class SklearnModel(Protocol):
    """A regressor or classifier of scikit-learn whose `fit` takes `sample_weight`."""

    def get_params(self, deep: bool = ...) -> dict[str, Any]:
        """Return the parameters, of which copies are made."""
        ...


Model: TypeAlias = Literal["linear", "trees"] | SklearnModel
"""`linear`, `trees`, or a model of scikit-learn, which then sees [context, one-hot action]."""


class RewardRegression(Protocol):
    """A fitted q̂."""

    def rewards(self, context: Floats) -> Floats:
        """Return the modeled reward of every action, [m, A] for context [m, d]."""
        ...


@dataclass(frozen=True)
class ConstantRewards:
    """The same reward for all actions, where all rounds had the same reward."""

    level: float
    n_actions: int

    def rewards(self, context: Floats) -> Floats:
        """Return the level everywhere, [m, A]."""
        return np.full((len(context), self.n_actions), self.level)


@dataclass(frozen=True, eq=False)
class LinearRewards:
    """q̂(x, a) = level_a + x · slope_a, or the logistic of it; slopes [d, A], levels [A]."""

    standardize: Standardization
    slopes: Floats
    levels: Floats
    is_probability: bool
    lowest: float
    highest: float

    @classmethod
    def fit(
        cls, context: Floats, action: Ints, reward: Floats, weight: Floats, *, n_actions: int, is_binary: bool
    ) -> "LinearRewards":
        """Fit a logistic regression to 0/1 rewards, else ridge, with penalty 1 on standardized features."""
        standardize = Standardization.of(context)
        d = context.shape[1]
        features = interactions(standardize(context), action, n_actions)
        model = LogisticRegression(max_iter=2000) if is_binary else Ridge(alpha=1.0)
        model.fit(features, reward, sample_weight=weight)
        shared, levels, own = np.split(np.ravel(model.coef_), [d, d + n_actions])
        return cls(
            standardize=standardize,
            slopes=shared[:, np.newaxis] + own.reshape(n_actions, d).T,
            levels=levels + float(np.ravel(model.intercept_)[0]),
            is_probability=is_binary,
            lowest=float(reward.min()),
            highest=float(reward.max()),
        )

    def rewards(self, context: Floats) -> Floats:
        """Return the modeled rewards [m, A], within the range of the rewards of the fit."""
        scores = self.standardize(context) @ self.slopes + self.levels
        if self.is_probability:
            return np.asarray(expit(scores), dtype=np.float64)
        return np.clip(scores, self.lowest, self.highest)


@dataclass(frozen=True, eq=False)
class FittedRewards:
    """Any model of scikit-learn; the action enters as a category for trees, one-hot for others."""

    model: Any
    n_actions: int
    is_category: bool

    @classmethod
    def fit(
        cls,
        model: SklearnModel,
        context: Floats,
        action: Ints,
        reward: Floats,
        weight: Floats,
        *,
        n_actions: int,
        is_category: bool,
    ) -> "FittedRewards":
        """Fit a copy of the model; the one that is given stays as it is."""
        fitted = clone(model)
        features = categories_or_one_hot(context, action, n_actions, is_category)
        fitted.fit(features, reward, sample_weight=weight)
        return cls(fitted, n_actions, is_category)

    def rewards(self, context: Floats) -> Floats:
        """Return the modeled rewards [m, A], predicted for one action at a time."""
        columns = []
        for action in range(self.n_actions):
            same = np.full(len(context), action)
            features = categories_or_one_hot(context, same, self.n_actions, self.is_category)
            if is_classifier(self.model):
                probabilities = self.model.predict_proba(features)
                columns.append(probabilities @ np.asarray(self.model.classes_, dtype=np.float64))
            else:
                columns.append(self.model.predict(features))
        return np.column_stack(columns)


def fit_rewards(
    model: Model,
    context: Floats,
    action: Ints,
    reward: Floats,
    weight: Floats,
    *,
    n_actions: int,
    is_binary: bool,
    seed: int,
) -> RewardRegression:
    """Fit q̂ by weighted regression of rewards on context and action; shapes [n, d], [n], [n], [n].

    Weights are scaled to mean 1, so that a penalty means the same whatever their unit; rounds of weight 0 are
    left out. Where no round has weight, or the rewards of those that have are all equal, q̂ is the constant
    mean: no model can predict more. An action that does not occur gets what the model says of actions in
    general.

    Raises ValueError for an unknown model, or trees with more than 255 actions.
    """
    used = weight > 0
    if not used.any():
        return ConstantRewards(float(reward.mean()), n_actions)
    context, action, reward, weight = context[used], action[used], reward[used], weight[used]
    if (reward == reward[0]).all():
        return ConstantRewards(float(reward[0]), n_actions)
    weight = weight / weight.mean()
    if isinstance(model, str) and model == "linear":
        return LinearRewards.fit(context, action, reward, weight, n_actions=n_actions, is_binary=is_binary)
    estimator, is_category = _estimator(model, context.shape[1], n_actions, is_binary, seed)
    return FittedRewards.fit(
        estimator, context, action, reward, weight, n_actions=n_actions, is_category=is_category
    )


def _estimator(
    model: Model, n_features: int, n_actions: int, is_binary: bool, seed: int
) -> tuple[SklearnModel, bool]:
    """Return the model to copy, and whether it takes the action as a category."""
    if not isinstance(model, str):
        return model, False
    if model != "trees":
        raise ValueError(
            f"no reward model is called {model!r}. Known are linear and trees, or give one of scikit-learn."
        )
    if n_actions > MOST_TREE_ACTIONS:
        raise ValueError(
            f"trees can tell {MOST_TREE_ACTIONS} actions apart, and there are {n_actions}: use the "
            "linear model."
        )
    family = HistGradientBoostingClassifier if is_binary else HistGradientBoostingRegressor
    return family(
        categorical_features=[n_features], early_stopping=False, max_iter=60, random_state=seed
    ), True
