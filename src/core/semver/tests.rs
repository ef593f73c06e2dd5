//! The answers of the Go library, row by row, and where trueup's differ on purpose.

use super::{Version, VersionRange};

/// The answers of Masterminds' library: range, version, verdict. `fixtures/semver/main.go` wrote the last
/// column: `cut -f1,2 masterminds-3.5.0.tsv | go run .`
const TABLE: &str = include_str!("../../../fixtures/semver/masterminds-3.5.0.tsv");

/// The rows in which trueup answers otherwise, and why.
const DIFFERENCES: &[(&str, &str, &str, &str)] = &[
    (">=1.2.0-0 <2.0.0", "2.0.0-rc.1", "no", BOUND),
    (">=1.2.0-0 <2.0.0", "2.0.0-0", "no", BOUND),
    (">=1.0.0-0 <2", "2.0.0-rc.1", "no", BOUND),
    ("1||2 - 3", "4.0.0", "no", BARS),
    (">=0", "1", "bad version", NUMBERS),
    (">=0", "1.2", "bad version", NUMBERS),
    (">=0", "v1.2", "bad version", NUMBERS),
    (">=0", "20240101", "bad version", NUMBERS),
    (">=0", "01.2.3", "bad version", NUMBERS),
    (">1.0.0-99999999999999999998", "1.0.0-100000000000000000000", "yes", HUGE),
];

/// The library took a pre-release of 2.0.0 for a version below 2.0.0 from 3.4.0 on.
const BOUND: &str = "what is below 2.0.0 has nothing of 2.0.0";
/// The library's expression for a version takes bars as well.
const BARS: &str = "`1||2 - 3` is `1 || 2 - 3`, and not `>=1 || 2 <=3`";
/// A tag such as `v1` moves, and 20240101 is a date.
const NUMBERS: &str = "a tag that is a version has three numbers, as semver.org says";
/// The library compares numbers of more than 64 bits as words.
const HUGE: &str = "numbers go by their value";

/// The verdict of trueup.
fn verdict(range: &str, version: &str) -> &'static str {
    match (VersionRange::read(range), Version::of_tag(version)) {
        (Err(_), _) => "bad range",
        (Ok(_), None) => "bad version",
        (Ok(range), Some(version)) if range.contains(&version) => "yes",
        _ => "no",
    }
}

fn rows() -> Vec<[&'static str; 3]> {
    let row = |line: &'static str| {
        let mut cells = line.split('\t');
        [(); 3].map(|()| cells.next().unwrap())
    };
    TABLE.lines().map(row).collect()
}

#[test]
fn answers_are_those_of_the_go_library() {
    let rows = rows();
    assert!(rows.len() >= 300, "{} rows", rows.len());
    let mut wrong = Vec::new();
    for [range, version, expected] in &rows {
        let known = DIFFERENCES.iter().find(|it| (it.0, it.1) == (*range, *version));
        let expected = known.map_or(*expected, |it| it.2);
        let found = verdict(range, version);
        if found != expected {
            wrong.push(format!("{range:?} {version:?}: {found}, expected {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_deliberate_difference_is_one() {
    let rows = rows();
    for (range, version, ours, why) in DIFFERENCES {
        let row = rows.iter().find(|row| row[..2] == [*range, *version]);
        let [_, _, theirs] = row.unwrap_or_else(|| panic!("{range:?} {version:?} is no row"));
        assert_ne!(theirs, ours, "{range:?} {version:?}: {why}");
    }
}

#[test]
fn what_newer_libraries_take_is_known() {
    let range = VersionRange::read(">=1.2.0-0 <2.0.0").unwrap();
    let version = |text: &str| Version::of_tag(text).unwrap();
    assert!(range.is_taken_elsewhere(&version("2.0.0-rc.1")));
    assert!(!range.is_taken_elsewhere(&version("1.9.0")));
    assert!(!range.is_taken_elsewhere(&version("2.0.0")));
}

#[test]
fn a_wrong_range_is_shown_at_its_character() {
    for (range, message) in [
        ("", "the range ends where a version is expected at character 1"),
        (">=1.2 <", "the range ends where a version is expected at character 8"),
        (">=1.2 & <2", "unexpected '&' at character 7"),
        ("1.2<2", "unexpected '<' at character 4"),
        ("1,,2", "unexpected ',' at character 3"),
        ("≥1.2", "unexpected '≥' at character 1"),
        (">=1 latest", "invalid version \"latest\" at character 5"),
        ("1.2.3-01", "invalid version \"1.2.3-01\" at character 1"),
        (">=99999999999999999999", "invalid version \"99999999999999999999\" at character 3"),
        (">1.2 - 1.4", "the versions of a hyphen range have no operator at character 1"),
        (
            "<3 1.0 - 2.0",
            "a hyphen range after another bound needs a comma before it at character 4",
        ),
    ] {
        assert_eq!(VersionRange::read(range).unwrap_err().to_string(), message, "{range:?}");
    }
}

#[test]
fn a_hostile_range_is_short() {
    let long = format!(">=1.{}", "0".repeat(600));
    let error = VersionRange::read(&long).unwrap_err().to_string();
    assert_eq!(error, "a range of 604 bytes; the limit is 512 at character 1");
    let many = vec!["1"; 33].join("||");
    let error = VersionRange::read(&many).unwrap_err().to_string();
    assert_eq!(error, "more than 32 alternatives at character 97");
    assert!(VersionRange::read(&vec!["1"; 32].join("||")).is_ok());
    assert!(Version::of_tag(&format!("1.2.3-{}", "a".repeat(300))).is_none());
}
