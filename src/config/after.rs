//! The order of targets: which comes after which, and what is wrong with that.

use std::collections::BTreeSet;

use super::{Config, ConfigError, FILE};
use crate::core::manifest::{self, PathPart};
use crate::core::suggest::suggest;

impl Config {
    /// The names of the targets, each after those that it comes after; by name where that leaves it
    /// open.
    pub fn order(&self) -> Vec<&str> {
        let mut order: Vec<&str> = Vec::with_capacity(self.targets.len());
        let mut left: BTreeSet<&str> = self.targets.keys().map(String::as_str).collect();
        loop {
            let is_next = |name: &&&str| {
                let mut before = self.targets[**name].after.iter();
                before.all(|before| !left.contains(before.as_str()))
            };
            let Some(next) = left.iter().find(is_next).copied() else { break };
            left.remove(next);
            order.push(next);
        }
        order
    }

    /// Says what is wrong with the order of the targets: a name that is none, or a circle.
    pub(super) fn check_order(&self, bytes: &[u8]) -> Result<(), ConfigError> {
        if self.targets.values().all(|target| target.after.is_empty()) {
            return Ok(());
        }
        let positions = manifest::value(FILE, bytes).ok().flatten();
        let place = |name: &str, index: usize| {
            let path = ["targets", name, "after"].map(PathPart::Key);
            let path = [&path[..], &[PathPart::Index(index)]].concat();
            positions
                .as_ref()
                .and_then(|(_, positions)| positions.of_value(&path))
                .unwrap_or((1, 1))
        };
        for (name, target) in &self.targets {
            for (index, before) in target.after.iter().enumerate() {
                let wrong = if before == name {
                    "a target can't come after itself".to_owned()
                } else if self.targets.contains_key(before) {
                    continue;
                } else {
                    let known = self.targets.keys().filter(|known| *known != name);
                    let near = suggest(before, known.clone().map(String::as_str));
                    let advice = match near.first() {
                        Some(near) => format!("did you mean {near:?}?"),
                        None if self.targets.len() == 1 => format!("{FILE} has no other target"),
                        None => {
                            let known: Vec<&str> = known.map(String::as_str).collect();
                            format!("the other targets are {}", known.join(", "))
                        }
                    };
                    format!("unknown target {before:?}; {advice}")
                };
                let (line, column) = place(name, index);
                let message = format!("targets.{name}.after[{index}]: {wrong}");
                return Err(ConfigError::Invalid { line, column, message });
            }
        }
        let Some(circle) = self.circle() else { return Ok(()) };
        let steps = circle.iter().map(|(name, index)| {
            let ((line, column), before) =
                (place(name, *index), &self.targets[*name].after[*index]);
            format!("{name} comes after {before} ({FILE}:{line}:{column})")
        });
        let message = format!("targets in a circle: {}", steps.collect::<Vec<_>>().join(", "));
        let (line, column) = circle.first().map_or((1, 1), |(name, index)| place(name, *index));
        Err(ConfigError::Invalid { line, column, message })
    }

    /// Targets that come after each other in a circle, each with the index of the next one among those
    /// that it comes after.
    fn circle(&self) -> Option<Vec<(&str, usize)>> {
        let ordered: BTreeSet<&str> = self.order().into_iter().collect();
        let mut at =
            self.targets.keys().map(String::as_str).find(|name| !ordered.contains(name))?;
        let mut path: Vec<(&str, usize)> = Vec::new();
        loop {
            if let Some(begin) = path.iter().position(|(name, _)| *name == at) {
                return Some(path.split_off(begin));
            }
            // A target that is not ordered comes after another such target.
            let mut after = self.targets[at].after.iter().enumerate();
            let (index, next) = after.find(|(_, name)| !ordered.contains(name.as_str()))?;
            path.push((at, index));
            at = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(targets: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let mut text = "targets:\n".to_owned();
        for (name, after) in targets {
            text.push_str(&format!("  {name}:\n    paths: [{name}]\n    after: [{after}]\n"));
        }
        Config::read(text.as_bytes())
    }

    #[test]
    fn targets_come_after_others_and_else_by_name() {
        let config = read(&[("a", "d"), ("b", ""), ("c", "b, a"), ("d", ""), ("e", "")]).unwrap();
        assert_eq!(config.order(), ["b", "d", "a", "c", "e"]);
        assert_eq!(Config::default().order(), Vec::<&str>::new());
    }

    #[test]
    fn a_circle_names_the_place_of_each_step() {
        let wrong = |targets: &[(&str, &str)]| read(targets).unwrap_err().to_string();
        assert_eq!(
            wrong(&[("a", "x, b"), ("b", "c"), ("c", "a"), ("x", ""), ("y", "a")]),
            "trueup.yaml:4:16: targets in a circle: a comes after b (trueup.yaml:4:16), \
            b comes after c (trueup.yaml:7:13), c comes after a (trueup.yaml:10:13)"
        );
        assert_eq!(
            wrong(&[("a", "b"), ("b", "c"), ("c", "b")]),
            "trueup.yaml:7:13: targets in a circle: b comes after c (trueup.yaml:7:13), \
            c comes after b (trueup.yaml:10:13)"
        );
        assert_eq!(
            wrong(&[("a", "a")]),
            "trueup.yaml:4:13: targets.a.after[0]: a target can't come after itself"
        );
        assert_eq!(
            wrong(&[("prod", "stagin"), ("staging", "")]),
            "trueup.yaml:4:13: targets.prod.after[0]: unknown target \"stagin\"; did you mean \"staging\"?"
        );
        assert_eq!(
            wrong(&[("prod", "qqq"), ("staging", "")]),
            "trueup.yaml:4:13: targets.prod.after[0]: unknown target \"qqq\"; the other targets are staging"
        );
        assert_eq!(
            wrong(&[("prod", "qqq")]),
            "trueup.yaml:4:13: targets.prod.after[0]: unknown target \"qqq\"; trueup.yaml has no other target"
        );
    }
}
