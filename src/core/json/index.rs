//! The way to a part of a value: the name of a field, or a place in a list.

use std::ops;

use super::{Key, Map, Value};

/// A way from a value to a part of it.
pub trait Index {
    /// The part, where there is one.
    fn find<'v>(&self, value: &'v Value) -> Option<&'v Value>;

    /// The part, where there is one, to change it.
    fn find_mut<'v>(&self, value: &'v mut Value) -> Option<&'v mut Value>;

    /// The part, which is made if it is a field.
    ///
    /// # Panics
    ///
    /// When the value is of another kind, or the list has no such place.
    fn make<'v>(&self, value: &'v mut Value) -> &'v mut Value;
}

impl Index for str {
    fn find<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        value.as_object()?.get(self)
    }

    fn find_mut<'v>(&self, value: &'v mut Value) -> Option<&'v mut Value> {
        value.as_object_mut()?.get_mut(self)
    }

    fn make<'v>(&self, value: &'v mut Value) -> &'v mut Value {
        if value.is_null() {
            *value = Value::Object(Map::new());
        }
        match value {
            Value::Object(map) => map.entry(self).or_insert(Value::Null),
            other => panic!("{other} has no field {self:?}"),
        }
    }
}

impl Index for usize {
    fn find<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        value.as_array()?.get(*self)
    }

    fn find_mut<'v>(&self, value: &'v mut Value) -> Option<&'v mut Value> {
        value.as_array_mut()?.get_mut(*self)
    }

    fn make<'v>(&self, value: &'v mut Value) -> &'v mut Value {
        match value {
            Value::Array(items) => &mut items[*self],
            other => panic!("{other} has no element {self}"),
        }
    }
}

/// Lets what derefs to a name lead as that name does.
macro_rules! as_name {
    ($($name:ty),+) => {$(
        impl Index for $name {
            fn find<'v>(&self, value: &'v Value) -> Option<&'v Value> {
                Index::find(self.as_str(), value)
            }

            fn find_mut<'v>(&self, value: &'v mut Value) -> Option<&'v mut Value> {
                self.as_str().find_mut(value)
            }

            fn make<'v>(&self, value: &'v mut Value) -> &'v mut Value {
                self.as_str().make(value)
            }
        }
    )+};
}

as_name!(String, Key);

impl<T: Index + ?Sized> Index for &T {
    fn find<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        (**self).find(value)
    }

    fn find_mut<'v>(&self, value: &'v mut Value) -> Option<&'v mut Value> {
        (**self).find_mut(value)
    }

    fn make<'v>(&self, value: &'v mut Value) -> &'v mut Value {
        (**self).make(value)
    }
}

/// A part that is not there is null.
impl<I: Index> ops::Index<I> for Value {
    type Output = Self;

    fn index(&self, index: I) -> &Self {
        static NULL: Value = Value::Null;
        index.find(self).unwrap_or(&NULL)
    }
}

/// A field that is not there is made.
impl<I: Index> ops::IndexMut<I> for Value {
    fn index_mut(&mut self, index: I) -> &mut Self {
        index.make(self)
    }
}

/// # Panics
///
/// When there is no such field.
impl ops::Index<&str> for Map {
    type Output = Value;

    fn index(&self, key: &str) -> &Value {
        self.get(key).unwrap_or_else(|| panic!("no field {key:?}"))
    }
}

/// # Panics
///
/// When there is no such field.
impl ops::IndexMut<&str> for Map {
    fn index_mut(&mut self, key: &str) -> &mut Value {
        self.get_mut(key).unwrap_or_else(|| panic!("no field {key:?}"))
    }
}
