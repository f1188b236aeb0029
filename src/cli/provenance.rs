//! Values with the place they come from: a flag, the policy file, the environment or a default.

use std::fmt::Debug;

use serde::Serialize;

use super::failure::Failure;

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Provenance {
    Default,
    Environment,
    Policy,
    Flag,
}

/// A value and where it comes from.
#[derive(Clone, Debug)]
pub(crate) struct WithProvenance<T> {
    pub(crate) value: T,
    pub(crate) from: Provenance,
}

impl<T> WithProvenance<T> {
    pub(crate) fn new(value: T, from: Provenance) -> Self {
        Self { value, from }
    }
}

impl<T> WithProvenance<Option<T>> {
    /// Returns the flag's value, else the policy's, else `None` as the default.
    pub(crate) fn choose(flag: Option<T>, policy: Option<T>) -> Self {
        let from = match (&flag, &policy) {
            (Some(_), _) => Provenance::Flag,
            (None, Some(_)) => Provenance::Policy,
            (None, None) => Provenance::Default,
        };
        Self::new(flag.or(policy), from)
    }
}

/// A merged setting; a usage failure if the flag exceeds a locked policy.
type Merged<T> = Result<WithProvenance<Option<T>>, Failure>;

/// Merges flags with a policy, which a flag can only narrow if the policy is locked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PolicyLock {
    pub(crate) locked: bool,
}

impl PolicyLock {
    /// Merges an amount. A locked policy refuses a larger one.
    pub(crate) fn amount<T: PartialOrd + Debug>(self, name: &str, flag: Option<T>, policy: Option<T>) -> Merged<T> {
        self.merge(name, flag, policy, PartialOrd::gt)
    }

    /// Merges a choice. A locked policy refuses a different one, since another engine may allow more.
    pub(crate) fn choice<T: PartialEq + Debug>(self, name: &str, flag: Option<T>, policy: Option<T>) -> Merged<T> {
        self.merge(name, flag, policy, PartialEq::ne)
    }

    fn merge<T: Debug>(
        self,
        name: &str,
        flag: Option<T>,
        policy: Option<T>,
        widens: impl Fn(&T, &T) -> bool,
    ) -> Merged<T> {
        match (&flag, &policy) {
            (Some(flag), Some(policy)) if self.locked && widens(flag, policy) => {
                Err(Failure::usage(format!("the policy is locked: {name} cannot change {policy:?} to {flag:?}")))
            }
            _ => Ok(WithProvenance::choose(flag, policy)),
        }
    }

    /// Merges grants. A flag replaces the policy's grant of the same thing; a locked policy refuses a flag that is not part of
    /// one of its grants.
    pub(crate) fn grants<T: Clone>(
        self,
        name: &str,
        flags: &[T],
        policy: &[T],
        is_same: impl Fn(&T, &T) -> bool,
        is_part: impl Fn(&T, &T) -> bool,
    ) -> Result<Vec<WithProvenance<T>>, Failure> {
        if self.locked && !flags.iter().all(|flag| policy.iter().any(|granted| is_part(flag, granted))) {
            return Err(Failure::usage(format!("the policy is locked: {name} cannot add grants")));
        }
        let kept = policy.iter().filter(|granted| !flags.iter().any(|flag| is_same(flag, granted)));
        let with = |from| move |value: &T| WithProvenance::new(value.clone(), from);
        Ok(kept.map(with(Provenance::Policy)).chain(flags.iter().map(with(Provenance::Flag))).collect())
    }
}
