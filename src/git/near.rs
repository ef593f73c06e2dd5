//! Names that are nearly the one somebody wrote, for "did you mean".

/// At most three of `names` that are like `wanted`, the nearest first.
pub fn near(wanted: &str, names: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut scored: Vec<(usize, String)> = names
        .into_iter()
        .filter_map(|name| {
            let (a, b) = (wanted.to_lowercase(), name.to_lowercase());
            let distance = if last(&a) == last(&b) { 0 } else { distance(&a, &b) };
            (distance <= 1 + wanted.chars().count() / 4).then_some((distance, name))
        })
        .collect();
    scored.sort();
    scored.dedup();
    scored.into_iter().take(3).map(|(_, name)| name).collect()
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// How many characters to insert, delete or replace to make `a` into `b`.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_finger_are_near() {
        let names = || ["envs/prod", "envs/staging", "apps/web"].map(str::to_owned);
        assert_eq!(near("envs/prdo", names()), ["envs/prod"]);
        assert_eq!(near("prod", names()), ["envs/prod"]);
        assert_eq!(near("Envs/Staging", names()), ["envs/staging"]);
        assert!(near("something/else", names()).is_empty());
    }
}
