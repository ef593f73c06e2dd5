//! The one redaction layer: no value of a Secret reaches a person, a log or a file.
//!
//! A [`Redactor`] knows every value of every Secret that the run has seen and puts numbered masks
//! in their place, `‹secret 1›`: equal values get equal numbers, so that a change stays visible
//! without the value. Inside a Secret every value is masked. Everywhere else (other objects, API
//! errors, problems) the values are searched for in every spelling ([`search`]), and so are their
//! [`value_parts`]: the password inside a URL, a field of a JSON text.
//!
//! A rule of `trueup.yaml` (`redact:`) makes a field of any object one more such value, and so do
//! [`Inputs`] of the programs that render.
//!
//! Not every value is worth a search: a Secret often holds a user name or a port, and masking each
//! `admin` and `5432` of the output would leave nothing to read. Left out are values that
//!
//! - have fewer than four characters,
//! - are a number of at most five digits,
//! - are common words such as `admin`, whatever their case,
//! - are all or a part of an object's kind, name or namespace, which every header shows anyway,
//! - are a field's name made of letters only, such as `containers`.
//!
//! Of the parts of a value, those whose names do not say that they are secret have to look so: they
//! are no words, numbers, names of hosts, paths or durations.
//!
//! [`Redactor::text_about`] masks even those where the text is about the Secret that holds them.
//! Objects' kinds, names and namespaces are never masked where they identify an object.

mod budget;
mod digits;
mod inputs;
mod needle;
mod pieces;
mod prefix_group;
mod problem;
mod search;
mod searchable;
mod secrets;
mod value_parts;
mod views;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use budget::{SearchBudget, SearchFailed};
pub use inputs::Inputs;
use needle::{MatchContext, Needle};
pub use problem::MaskedProblem;
use search::{MatchSpan, ValueSearch};
use searchable::worth_a_search;
pub use secrets::LAST_APPLIED;
use secrets::{FoundSecrets, Secret, bytes_of, decode, holds_object, holds_secret, is_secret};

use crate::core::field_rules::{FieldRule, Pointer};
use crate::core::json::{Map, Value};
use crate::core::mask::{Mask, Masked};
use crate::core::object::{Object, ObjectKey};
use crate::core::parallel::in_parallel;
use crate::core::plan::{Action, Plan};

/// Bytes that are not text are searched for from this length on.
const SHORTEST_BYTES: usize = 4;
/// The placeholder for a text whose content is unknown.
const HIDDEN: &str = "‹hidden›";

/// Knows the values of Secrets, and takes them out of objects and texts.
///
/// Everything that is to be shown must have been given to it when it was made; a value that it does
/// not know is masked inside a Secret, as `‹secret›`, but can't be found anywhere else.
#[derive(Default)]
pub struct Redactor {
    /// The number of every value, by its bytes.
    numbers: BTreeMap<Vec<u8>, usize>,
    /// Finds the values that are searched for; `None` when there are none.
    search: Option<ValueSearch>,
    /// The values of each Secret that are not searched for, and their numbers.
    quiet: BTreeMap<ObjectKey, BTreeSet<(Vec<u8>, usize)>>,
    /// Fields that are masked as a Secret's values are.
    rules: Vec<FieldRule>,
    /// How much all searches may take.
    budget: SearchBudget,
    /// The search could not be built: every text is hidden, since its content is unknown.
    blind: bool,
}

impl Redactor {
    /// A redactor for every Secret among `objects`: live, merged and desired ones.
    ///
    /// Values are numbered in the order of the objects' keys; of objects with one key, in the order
    /// given, so give what is before what will be.
    pub fn new<'a>(objects: impl IntoIterator<Item = &'a Object>) -> Self {
        Self::with_rules(objects, &[], &Inputs::default())
    }

    /// As [`new`](Self::new), with fields that are masked, too, and what programs that render were
    /// given.
    pub fn with_rules<'a>(
        objects: impl IntoIterator<Item = &'a Object>,
        rules: &[FieldRule],
        inputs: &Inputs,
    ) -> Self {
        let objects: Vec<&Object> = objects.into_iter().collect();
        // Most objects hold none, and to sort them takes longer than to look into them.
        let holds = |(): &mut (), object: &&Object| !rules.is_empty() || holds_secret(&object.0);
        let holding = in_parallel(&objects, || (), holds);
        let of = |wanted: bool| {
            let objects = objects.iter().zip(&holding);
            objects.filter(move |(_, holds)| **holds == wanted).map(|(object, _)| *object)
        };
        let mut objects: Vec<&Object> = of(true).collect();
        objects.sort_by_cached_key(|object| object.key());
        let holding = objects.len();
        objects.extend(of(false));
        Self::in_order(&objects, holding, rules, inputs)
    }

    /// A redactor for every object of `plan`; what the plan changes is numbered first, in the order
    /// in which it is shown. `others` are objects that no change has and a message may quote, such
    /// as those that are declared twice.
    pub fn of_plan<'a>(plan: &'a Plan, others: impl IntoIterator<Item = &'a Object>) -> Self {
        Self::of_plan_with_rules(plan, others, &[], &Inputs::default())
    }

    /// As [`of_plan`](Self::of_plan), with fields that are masked, too, and what programs that
    /// render were given.
    pub fn of_plan_with_rules<'a>(
        plan: &'a Plan,
        others: impl IntoIterator<Item = &'a Object>,
        rules: &[FieldRule],
        inputs: &Inputs,
    ) -> Self {
        let (kept, shown): (Vec<_>, Vec<_>) =
            plan.changes().partition(|change| change.action() == Action::Keep);
        let shown =
            shown.into_iter().flat_map(|change| [change.live(), change.becomes(), change.send()]);
        // An object that is kept is the same before and after.
        let kept = kept.into_iter().map(|change| change.live());
        let objects: Vec<_> = shown.chain(kept).flatten().chain(others).collect();
        Self::in_order(&objects, objects.len(), rules, inputs)
    }

    /// A redactor for objects of which those from the number `holding` on hold nothing to mask.
    fn in_order(objects: &[&Object], holding: usize, rules: &[FieldRule], inputs: &Inputs) -> Self {
        let mut found = FoundSecrets::default();
        for object in &objects[..holding] {
            let key = object.key();
            found.of_map(&key, &object.0);
            for field in rules_for(rules, &key).flat_map(|field| field.within(&object.0)) {
                if let Some(value) = field.value(&object.0) {
                    found.of_field(&key, value);
                }
            }
        }
        let mut redactor = Self { rules: rules.to_vec(), ..Self::default() };
        if !found.values.is_empty() || !inputs.is_empty() {
            let needles = redactor.needles(found.values, objects, inputs);
            match needles.and_then(ValueSearch::new) {
                Ok(search) => redactor.search = search,
                Err(SearchFailed) => redactor.blind = true,
            }
        }
        redactor
    }

    /// Numbers every value, and says which are searched for: whole values first, so that their
    /// numbers are in the order in which they are shown, then their parts.
    fn needles(
        &mut self,
        found: Vec<Secret>,
        objects: &[&Object],
        inputs: &Inputs,
    ) -> Result<Vec<Needle>, SearchFailed> {
        let mut secrets = Vec::new();
        let mut parts = Vec::new();
        for secret in found {
            let is_new = !self.numbers.contains_key(&secret.bytes);
            let number = self.number(&secret.bytes);
            if secret.whole {
                continue;
            }
            if is_new && let Ok(text) = std::str::from_utf8(&secret.bytes) {
                parts.extend(value_parts::parts(text));
            }
            secrets.push((secret, number));
        }
        parts.extend(inputs.secret.iter().cloned());
        let texts = secrets.iter().filter_map(|(secret, _)| secret.text());
        let texts = texts.chain(parts.iter().chain(&inputs.quoted).map(|text| text.trim()));
        let worth = worth_a_search(texts, objects, &inputs.names).ok_or(SearchFailed)?;

        let mut needles = Vec::new();
        let needle =
            |value: &[u8], number, stands| Needle { value: value.to_vec(), number, stands };
        for (secret, number) in &secrets {
            let (is_searched, value) = match secret.text() {
                Some(text) => (worth.contains(text), text.as_bytes()),
                None => (secret.bytes.len() >= SHORTEST_BYTES, secret.bytes.as_slice()),
            };
            if !is_searched {
                let quiet = self.quiet.entry(secret.key.clone()).or_default();
                quiet.extend([(value.to_vec(), *number), (secret.written.clone().into(), *number)]);
                continue;
            }
            let pieces = secret.text().map(pieces::pieces).unwrap_or_default();
            for value in [value].into_iter().chain(pieces.into_iter().map(str::as_bytes)) {
                needles.push(needle(value, *number, MatchContext::Anywhere));
            }
        }
        for part in parts.iter().map(|part| part.trim()) {
            let is_given = inputs.secret.contains(part);
            let where_it_counts = match worth.contains(part) {
                true => MatchContext::Anywhere,
                false if is_given => MatchContext::Quoted,
                false => continue,
            };
            let number = self.number(part.as_bytes());
            needles.push(needle(part.as_bytes(), number, where_it_counts));
        }
        for text in inputs.quoted.iter().map(|text| text.trim()) {
            if worth.contains(text) {
                needles.push(needle(
                    text.as_bytes(),
                    self.number(text.as_bytes()),
                    MatchContext::Quoted,
                ));
            }
        }
        Ok(needles)
    }

    /// The number of a value: a new one for each that was not seen yet.
    fn number(&mut self, bytes: &[u8]) -> usize {
        let next = self.numbers.len() + 1;
        *self.numbers.entry(bytes.to_vec()).or_insert(next)
    }

    /// The mask of a Secret's value, given as it stands in `stringData`.
    pub fn mask(&self, value: &str) -> String {
        self.mask_of(value.as_bytes())
    }

    /// The mask of a Secret's value, given as it stands in `data`.
    pub fn mask_data(&self, value: &str) -> String {
        self.mask_of(&decode(value))
    }

    fn mask_of(&self, bytes: &[u8]) -> String {
        self.numbers.get(bytes).map_or_else(|| "‹secret›".to_owned(), |number| mask(*number))
    }

    /// A copy of `object` that can be shown.
    pub fn object(&self, object: &Object) -> Object {
        let key = object.key();
        let mut fields = rules_for(&self.rules, &key).peekable();
        if fields.peek().is_none() {
            return self.of_map(&object.0).into();
        }
        let given = object;
        let mut object = given.clone();
        for field in fields.flat_map(|field| field.within(&given.0)) {
            if let Some(value) = field.value_mut(object.fields_mut()) {
                *value = self.leaves(value);
            }
        }
        self.of_map(&object.0).into()
    }

    /// A value with a mask in the place of each text, number or truth value.
    fn leaves(&self, value: &Value) -> Value {
        match value {
            Value::Object(map) => {
                map.iter().map(|(key, value)| (key.clone(), self.leaves(value))).collect()
            }
            Value::Array(items) => items.iter().map(|item| self.leaves(item)).collect(),
            value => self.any(value, false),
        }
    }

    /// A copy of any JSON value that can be shown.
    pub fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(map) => Value::Object(self.of_map(map)),
            Value::Number(number) => {
                let text = number.to_string();
                let shown = self.text(&text);
                if shown == text { value.clone() } else { shown.into() }
            }
            Value::Null | Value::Bool(_) => value.clone(),
        }
    }

    fn of_map(&self, map: &Map) -> Map {
        let secret = is_secret(map);
        self.pairs(map, |key, value| match key {
            "data" | "stringData" if secret => self.values(value, key == "data"),
            "metadata" if secret => self.metadata(value),
            _ => self.value(value),
        })
    }

    /// `map` with each value made showable by `show`, and each key, too.
    fn pairs(&self, map: &Map, show: impl Fn(&str, &Value) -> Value) -> Map {
        let mut shown = BTreeMap::new();
        for (key, value) in map {
            let value = show(key, value);
            let mut key = self.text(key);
            while shown.contains_key(&key) {
                key.push('\''); // two keys that differ in masked text only
            }
            shown.insert(key, value);
        }
        shown.into_iter().collect()
    }

    /// A Secret's `data` or `stringData` with masks for values.
    fn values(&self, values: &Value, base64: bool) -> Value {
        let Value::Object(map) = values else { return self.any(values, base64) };
        self.pairs(map, |_, value| self.any(value, base64)).into()
    }

    fn any(&self, value: &Value, base64: bool) -> Value {
        match bytes_of(value, base64) {
            Some(bytes) => self.mask_of(&bytes).into(),
            None => Value::Null,
        }
    }

    /// A Secret's metadata, in which annotations may hold the whole of a Secret once more.
    fn metadata(&self, metadata: &Value) -> Value {
        let mut shown = self.value(metadata);
        let annotations = metadata.get("annotations").and_then(Value::as_object);
        for (key, value) in annotations.into_iter().flatten() {
            let Some(text) = value.as_str().filter(|text| holds_object(key, text)) else {
                continue;
            };
            shown["annotations"][self.text(key)] = self.mask(text).into();
        }
        shown
    }

    /// `text` with a mask wherever it spells a Secret's value that is worth a search.
    pub fn text(&self, text: &str) -> String {
        match self.spans(text) {
            Ok(spans) => masked(text, spans),
            Err(SearchFailed) => HIDDEN.to_owned(),
        }
    }

    /// The same as a value that can be shown.
    pub fn message(&self, text: &str) -> Masked<String> {
        Masked::new(self.text(text))
    }

    /// Masks the texts in `value`.
    pub fn mask_in(&self, value: &mut impl Mask) {
        value.mask(&|text| self.text(text));
    }

    /// Masks the texts in `value`, which is about the object `key`.
    pub fn mask_about(&self, key: &ObjectKey, value: &mut impl Mask) {
        value.mask(&|text| self.text_about(key, text));
    }

    /// As [`text`](Self::text), for a text that is about the object `key`: if that is a Secret,
    /// all of its values are masked, even those that are not worth a search elsewhere.
    pub fn text_about(&self, key: &ObjectKey, text: &str) -> String {
        let Some(quiet) = self.quiet.get(key) else { return self.text(text) };
        let needle = |(value, number): &(Vec<u8>, usize)| Needle {
            value: value.trim_ascii().to_vec(),
            number: *number,
            stands: MatchContext::AsWord,
        };
        let spans = ValueSearch::new(quiet.iter().map(needle)).and_then(|search| {
            let mut spans = self.spans(text)?;
            if let Some(search) = search {
                spans.extend(search.find(text, &self.budget)?);
            }
            Ok(spans)
        });
        match spans {
            Ok(spans) => masked(text, spans),
            Err(SearchFailed) => HIDDEN.to_owned(),
        }
    }

    /// Whether it looks for values in texts.
    pub fn searches(&self) -> bool {
        self.search.is_some() || self.blind
    }

    /// Every place where a known value stands, overlapping ones too.
    fn spans(&self, text: &str) -> Result<Vec<MatchSpan>, SearchFailed> {
        match &self.search {
            _ if self.blind => Err(SearchFailed),
            Some(search) => search.find(text, &self.budget),
            None => Ok(Vec::new()),
        }
    }
}

/// `text` with each span masked; spans that overlap become one, under the number of the longest, so
/// that nothing of any value is left.
fn masked(text: &str, mut spans: Vec<MatchSpan>) -> String {
    for (range, _) in &mut spans {
        // Bytes that are not text may begin in the middle of a character.
        while !text.is_char_boundary(range.start) {
            range.start -= 1;
        }
        while !text.is_char_boundary(range.end) {
            range.end += 1;
        }
    }
    spans.sort_by_key(|(range, number)| (range.start, std::cmp::Reverse(range.end), *number));
    let mut shown = String::with_capacity(text.len());
    let mut end = 0;
    let mut spans = spans.into_iter().peekable();
    while let Some((mut range, mut number)) = spans.next() {
        let mut longest = range.len();
        while let Some((next, next_number)) = spans.next_if(|(next, _)| next.start < range.end) {
            if next.len() > longest {
                (longest, number) = (next.len(), next_number);
            }
            range.end = range.end.max(next.end);
        }
        shown.push_str(&text[end..range.start]);
        shown.push_str(&mask(number));
        end = range.end;
    }
    shown.push_str(&text[end..]);
    shown
}

/// Says how many values it knows, and none of them.
impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redactor({} values)", self.numbers.len())
    }
}

/// `text` with the same mask for every value: what number a value has depends on which others a
/// redactor knows.
pub fn without_numbers(text: &str) -> String {
    const START: &str = "‹secret ";
    let mut parts = text.split(START);
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
        match rest.starts_with('›') && rest.len() < part.len() {
            true => plain.extend(["‹secret", rest]),
            false => plain.extend([START, part]),
        }
    }
    plain
}

/// The fields of an object that are masked. Where a manifest leaves the namespace out, it may be
/// any.
fn rules_for<'a>(rules: &'a [FieldRule], key: &ObjectKey) -> impl Iterator<Item = &'a Pointer> {
    let is_about = |rule: &&FieldRule| match key.namespace {
        Some(_) => rule.is_about(key),
        None => FieldRule { namespace: None, ..(*rule).clone() }.is_about(key),
    };
    let rules: Vec<&FieldRule> = rules.iter().filter(is_about).collect();
    rules.into_iter().flat_map(|rule| &rule.paths)
}

fn mask(number: usize) -> String {
    format!("‹secret {number}›")
}

#[cfg(test)]
mod tests;
