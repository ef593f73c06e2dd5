//! A map of JSON: its fields in the order of their names, each name once.

use std::fmt;

use super::{Key, Value};

/// Fields, sorted by name.
///
/// One field after the other is added in no time where they come in order. Many that do not are best
/// given at once, by [`extend`](Extend::extend) or [`collect`](Iterator::collect).
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Map(Vec<(Key, Value)>);

impl Map {
    /// A map of nothing.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// A map of fields in any order; of one name the last counts.
    pub(super) fn of(fields: Vec<(Key, Value)>) -> Self {
        let mut map = Self(fields);
        map.sort();
        map.0.shrink_to_fit();
        map
    }

    /// How many fields it has.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.0.capacity()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Where a field is, or else belongs.
    fn place(&self, key: &str) -> Result<usize, usize> {
        match self.0.last() {
            // As most are added in order.
            Some((last, _)) if last.as_str() < key => Err(self.0.len()),
            _ => self.0.binary_search_by(|(own, _)| own.as_str().cmp(key)),
        }
    }

    /// Where a field is. Most names differ in length, so that looking for an equal one beats comparing
    /// the order of a few.
    fn find(&self, key: &str) -> Option<usize> {
        match self.0.len() {
            0..=FEW => self.0.iter().position(|(own, _)| own.as_str() == key),
            _ => self.place(key).ok(),
        }
    }

    /// The value of a field.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.find(key).map(|at| &self.0[at].1)
    }

    /// The same, to change it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        self.find(key).map(|at| &mut self.0[at].1)
    }

    /// A field with its name, as the map has it.
    pub fn get_key_value(&self, key: &str) -> Option<(&Key, &Value)> {
        self.find(key).map(|at| (&self.0[at].0, &self.0[at].1))
    }

    /// Whether it has the field.
    pub fn contains_key(&self, key: &str) -> bool {
        self.find(key).is_some()
    }

    /// Sets a field, and gives the value that it had.
    pub fn insert(&mut self, key: impl Into<Key>, value: Value) -> Option<Value> {
        let key = key.into();
        match self.place(&key) {
            Ok(at) => Some(std::mem::replace(&mut self.0[at].1, value)),
            Err(at) => {
                self.add(at, key, value);
                None
            }
        }
    }

    /// Adds a field where it belongs. A small map grows by one: most have few fields and keep them.
    fn add(&mut self, at: usize, key: Key, value: Value) {
        if self.0.len() < FEW {
            self.0.reserve_exact(1);
        }
        self.0.insert(at, (key, value));
    }

    /// Removes a field, and gives its value.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        self.find(key).map(|at| self.0.remove(at).1)
    }

    /// The place of a field, whether it is there or not.
    pub fn entry(&mut self, key: impl Into<Key>) -> Entry<'_> {
        let key = key.into();
        match self.place(&key) {
            Ok(at) => Entry::Occupied(OccupiedEntry { map: self, at }),
            Err(at) => Entry::Vacant(VacantEntry { map: self, at, key }),
        }
    }

    /// The fields, in order.
    pub fn iter(&self) -> Iter<'_> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// The fields, to change their values.
    pub fn iter_mut(&mut self) -> IterMut<'_> {
        self.0.iter_mut().map(|(key, value)| (&*key, value))
    }

    /// The names, in order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &Key> + ExactSizeIterator {
        self.0.iter().map(|(key, _)| key)
    }

    /// The values, in the order of the names.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &Value> + ExactSizeIterator {
        self.0.iter().map(|(_, value)| value)
    }

    /// The values, to change them.
    pub fn values_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut Value> {
        self.0.iter_mut().map(|(_, value)| value)
    }

    /// The values, taken out.
    pub fn into_values(self) -> impl DoubleEndedIterator<Item = Value> {
        self.0.into_iter().map(|(_, value)| value)
    }

    /// Keeps the fields that `stays` says, and no room for others.
    pub fn retain(&mut self, mut stays: impl FnMut(&Key, &mut Value) -> bool) {
        self.0.retain_mut(|(key, value)| stays(key, value));
        self.0.shrink_to_fit();
    }

    /// Puts fields that were added at the end in order; of one name the last counts.
    fn sort(&mut self) {
        if self.0.is_sorted_by(|(one, _), (other, _)| one < other) {
            return;
        }
        self.0.sort_by(|(one, _), (other, _)| one.cmp(other));
        self.0.dedup_by(|later, kept| {
            let is_same = later.0 == kept.0;
            if is_same {
                std::mem::swap(later, kept);
            }
            is_same
        });
    }
}

/// Fewer fields than this are stored without room for more.
const FEW: usize = 8;

/// The fields of a map.
pub type Iter<'a> = std::iter::Map<
    std::slice::Iter<'a, (Key, Value)>,
    fn(&'a (Key, Value)) -> (&'a Key, &'a Value),
>;

/// The fields of a map, to change their values.
pub type IterMut<'a> = std::iter::Map<
    std::slice::IterMut<'a, (Key, Value)>,
    fn(&'a mut (Key, Value)) -> (&'a Key, &'a mut Value),
>;

impl<'a> IntoIterator for &'a Map {
    type Item = (&'a Key, &'a Value);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl<'a> IntoIterator for &'a mut Map {
    type Item = (&'a Key, &'a mut Value);
    type IntoIter = IterMut<'a>;

    fn into_iter(self) -> IterMut<'a> {
        self.iter_mut()
    }
}

impl IntoIterator for Map {
    type Item = (Key, Value);
    type IntoIter = std::vec::IntoIter<(Key, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<K: Into<Key>> Extend<(K, Value)> for Map {
    fn extend<I: IntoIterator<Item = (K, Value)>>(&mut self, fields: I) {
        self.0.extend(fields.into_iter().map(|(key, value)| (key.into(), value)));
        self.sort();
    }
}

impl<K: Into<Key>> FromIterator<(K, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (K, Value)>>(fields: I) -> Self {
        Self::of(fields.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }
}

impl<K: Into<Key>, const N: usize> From<[(K, Value); N]> for Map {
    fn from(fields: [(K, Value); N]) -> Self {
        fields.into_iter().collect()
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

/// A field that may be there.
pub enum Entry<'a> {
    /// It is.
    Occupied(OccupiedEntry<'a>),
    /// It is not.
    Vacant(VacantEntry<'a>),
}

/// A field that is there.
pub struct OccupiedEntry<'a> {
    map: &'a mut Map,
    at: usize,
}

/// A field that is not there.
pub struct VacantEntry<'a> {
    map: &'a mut Map,
    at: usize,
    key: Key,
}

impl<'a> Entry<'a> {
    /// The value, which is `value` where there is none yet.
    pub fn or_insert(self, value: Value) -> &'a mut Value {
        self.or_insert_with(|| value)
    }

    /// The value, which is made where there is none yet.
    pub fn or_insert_with(self, make: impl FnOnce() -> Value) -> &'a mut Value {
        match self {
            Self::Occupied(entry) => entry.into_mut(),
            Self::Vacant(entry) => entry.insert(make()),
        }
    }
}

impl<'a> OccupiedEntry<'a> {
    /// The value.
    pub fn get(&self) -> &Value {
        &self.map.0[self.at].1
    }

    /// The value, to change it.
    pub fn into_mut(self) -> &'a mut Value {
        &mut self.map.0[self.at].1
    }
}

impl<'a> VacantEntry<'a> {
    /// Sets the field.
    pub fn insert(self, value: Value) -> &'a mut Value {
        self.map.add(self.at, self.key, value);
        &mut self.map.0[self.at].1
    }
}
