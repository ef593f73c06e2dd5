//! Masks every text in a reason, by the types of its fields: a text can't be forgotten.

use super::facts::{DeletionGuard, DependencyEnd, DependencyReason, PruneBlocker};
use crate::core::annotations::AnnotationFault;
use crate::core::inventory::reserved::ReservedObject;
use crate::core::mask::Mask;
use crate::core::object::{GroupKind, ObjectKey};
use crate::core::observed::Prerequisite;
use crate::core::plan::approved::NotApproved;
use crate::core::policy::MaxPrune;
use crate::core::problem::{Cause, Location, Refusal};
use crate::core::remedy::Remedy;

impl Mask for AnnotationFault {
    fn mask(&mut self, masked: &dyn Fn(&str) -> String) {
        let Self { annotation, message, hint } = self;
        annotation.mask(masked);
        message.mask(masked);
        hint.mask(masked);
    }
}

impl Mask for Cause {
    fn mask(&mut self, masked: &dyn Fn(&str) -> String) {
        let Self { field, message, place: _ } = self;
        field.mask(masked);
        message.mask(masked);
    }
}

impl Mask for Refusal {
    fn mask(&mut self, masked: &dyn Fn(&str) -> String) {
        let Self { message, hint, causes, may_pass: _ } = self;
        message.mask(masked);
        hint.mask(masked);
        causes.mask(masked);
    }
}

impl Mask for Prerequisite {
    fn mask(&mut self, masked: &dyn Fn(&str) -> String) {
        match self {
            Self::Namespace(_) | Self::Definition(_) => {}
            Self::Server { by: _, silence } => silence.mask(masked),
            Self::Applied { first: _, gone: _, refusal } => refusal.mask(masked),
        }
    }
}

impl Mask for NotApproved {
    fn mask(&mut self, masked: &dyn Fn(&str) -> String) {
        match self {
            Self::Missing => {}
            Self::NoTime(text) | Self::Future(text) | Self::Stale(text) | Self::Set(text) => {
                text.mask(masked);
            }
        }
    }
}

impl Mask for Remedy {
    fn mask(&mut self, masked: &dyn Fn(&str) -> String) {
        self.texts_mut().into_iter().for_each(|text| text.mask(masked));
    }
}

/// Values that have no text of others in them.
macro_rules! nothing_to_mask {
    ($($type:ty),*) => {
        $(impl Mask for $type {
            fn mask(&mut self, _: &dyn Fn(&str) -> String) {}
        })*
    };
}

nothing_to_mask!(bool, usize, ObjectKey, GroupKind, Location, MaxPrune, ReservedObject);
nothing_to_mask!(DeletionGuard, DependencyReason, DependencyEnd, PruneBlocker);
