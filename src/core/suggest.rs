//! "Did you mean": names that are close to the given one.

/// A longer name is not a slip, and to compare two takes as long as both are long.
const LONGEST: usize = 256;

/// At most three of `names` that are like `wanted` and not the same, the nearest first.
pub fn suggest<T: AsRef<str> + Ord>(wanted: &str, names: impl IntoIterator<Item = T>) -> Vec<T> {
    if wanted.len() > LONGEST {
        return Vec::new();
    }
    let room = 1 + wanted.chars().count() / 4;
    let lower = wanted.to_lowercase();
    let may_be = |name: &T| name.as_ref() != wanted && name.as_ref().len() <= LONGEST;
    let scored = names.into_iter().filter(may_be).filter_map(|name| {
        let other = name.as_ref().to_lowercase();
        let distance = if last(&lower) == last(&other) { 0 } else { distance(&lower, &other) };
        (distance <= room).then_some((distance, name))
    });
    let mut scored: Vec<(usize, T)> = scored.collect();
    scored.sort();
    scored.dedup();
    scored.into_iter().take(3).map(|(_, name)| name).collect()
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// How many characters to insert, delete, replace or swap with their neighbour to make `a` into
/// `b`.
pub fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_near_nothing() {
        for (length, is_near) in [(LONGEST, true), (LONGEST + 1, false)] {
            let (one, other) = ("a".repeat(length), format!("b{}", "a".repeat(length - 1)));
            assert_eq!(suggest(&one, [other.as_str()]).len(), usize::from(is_near), "{length}");
        }
    }

    #[test]
    fn slips_of_the_finger_are_near() {
        let paths = || ["envs/prod", "envs/staging", "apps/web"];
        assert_eq!(suggest("envs/prdo", paths()), ["envs/prod"]);
        assert_eq!(suggest("prod", paths()), ["envs/prod"]);
        assert_eq!(suggest("Envs/Staging", paths()), ["envs/staging"]);
        assert!(suggest("something/else", paths()).is_empty());

        let fields = || ["imagePullPolicy", "image", "name", "env"];
        for (wanted, found) in [
            ("imagePullpolicy", &["imagePullPolicy"][..]),
            ("imgae", &["image"]),
            ("NAME", &["name"]),
            ("evn", &["env"]),
            ("replicas", &[]),
            ("x", &[]),
            ("image", &[]),
        ] {
            assert_eq!(suggest(wanted, fields()), found, "{wanted}");
        }
    }
}
