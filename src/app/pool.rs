//! Values that many targets have in common, each of them once.

use std::sync::{Arc, Mutex, PoisonError, Weak};

/// How many values are held against a new one. Those of one commit differ only by what a target tracks and
/// whose cluster it is.
const MOST_KNOWN: usize = 16;

/// The values that targets have now.
pub(crate) struct Pool<T>(Mutex<Vec<Weak<T>>>);

impl<T: PartialEq> Pool<T> {
    /// One without any.
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// The value that equals this one, which may be this one.
    pub(crate) fn share(&self, value: T) -> Arc<T> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|it| it.strong_count() > 0);
        let same = known.iter().filter_map(Weak::upgrade).find(|it| **it == value);
        same.unwrap_or_else(|| {
            let value = Arc::new(value);
            if known.len() == MOST_KNOWN {
                known.remove(0);
            }
            known.push(Arc::downgrade(&value));
            value
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_are_one_as_long_as_one_has_them() {
        let pool = Pool::new();
        let (one, two) = (pool.share("a".to_owned()), pool.share("a".to_owned()));
        assert!(Arc::ptr_eq(&one, &two));
        let others: Vec<_> = (0..MOST_KNOWN).map(|number| pool.share(number.to_string())).collect();
        assert!(!Arc::ptr_eq(&one, &pool.share("a".to_owned())), "the oldest is not looked for");
        drop(others);
        let latest = pool.share("b".to_owned());
        assert!(Arc::ptr_eq(&latest, &pool.share("b".to_owned())));
    }
}
