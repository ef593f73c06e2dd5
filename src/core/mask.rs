//! Masks all the texts in a value where it stands. A type says once, next to its fields, which of them
//! are texts. What has been through that is a [`Masked`] value.

use std::ops::Deref;

use serde::Serialize;

/// A value that can be shown: everything is masked in it that a redactor knows.
///
/// Only `core` makes one. What prints takes nothing else, so that no call to a redactor can be
/// forgotten there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Masked<T>(T);

impl<T> Masked<T> {
    /// States that `value` has been through a redactor.
    pub(in crate::core) fn new(value: T) -> Self {
        Self(value)
    }
}

impl<T> Deref for Masked<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// Something with texts in it, some of which may give away a Secret's value.
pub trait Mask {
    /// Replaces each text by what `masked` makes of it.
    fn mask(&mut self, masked: &dyn Fn(&str) -> String);
}

impl Mask for String {
    fn mask(&mut self, masked: &dyn Fn(&str) -> String) {
        *self = masked(self);
    }
}

impl<T: Mask> Mask for Option<T> {
    fn mask(&mut self, masked: &dyn Fn(&str) -> String) {
        self.iter_mut().for_each(|one| one.mask(masked));
    }
}

impl<T: Mask> Mask for Vec<T> {
    fn mask(&mut self, masked: &dyn Fn(&str) -> String) {
        self.iter_mut().for_each(|one| one.mask(masked));
    }
}

impl<T: Mask> Mask for Box<T> {
    fn mask(&mut self, masked: &dyn Fn(&str) -> String) {
        (**self).mask(masked);
    }
}
