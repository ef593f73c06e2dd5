//! Masks all the texts in a value where it stands. A type says once, next to its fields, which of them
//! are texts.

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
