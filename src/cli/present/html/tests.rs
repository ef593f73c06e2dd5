use super::sample::{Sample, sample_page, year};
use super::*;
use crate::core::history::RunOutcome;
use crate::core::object::ObjectKey;
use crate::core::status::{Held, ImageStatus, RunningImage, SyncState, UnhealthyObject, WaitsOn};

/// The elements of a page in their order, each with its attributes. The page is read as strictly as XML,
/// but for its first line and the elements that HTML does not close.
fn elements(page: &str) -> Vec<(String, Vec<(String, String)>)> {
    // Rules of the style sheet have characters that texts do not have here.
    let page = page.replace(STYLE, "");
    let rest = page.strip_prefix("<!DOCTYPE html>").unwrap();
    let (mut open, mut found) = (Vec::new(), Vec::new());
    let mut parts = rest.split('<');
    assert_eq!(parts.next().unwrap().trim(), "");
    for part in parts {
        let (tag, text) = part.split_once('>').unwrap();
        assert!(!text.contains(['>', '"', '\'']), "{part}");
        if let Some(closed) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(closed));
            continue;
        }
        let (tag, is_empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, mut rest) = tag.split_once(' ').unwrap_or((tag, ""));
        let mut attributes = Vec::new();
        while let Some((attribute, value)) = rest.split_once("=\"") {
            let (value, after) = value.split_once('"').unwrap();
            attributes.push((attribute.trim().to_owned(), value.to_owned()));
            rest = after;
        }
        assert_eq!(rest, "", "{part}");
        found.push((name.to_owned(), attributes));
        if !is_empty {
            open.push(name);
        }
    }
    assert_eq!(open, Vec::<&str>::new());
    found
}

/// The values of an attribute.
fn values<'a>(elements: &'a [(String, Vec<(String, String)>)], attribute: &str) -> Vec<&'a str> {
    let all = elements.iter().flat_map(|(_, attributes)| attributes);
    all.filter(|(name, _)| name == attribute).map(|(_, value)| value.as_str()).collect()
}

#[test]
fn twenty_targets_and_a_year_fit_and_are_the_same_each_time() {
    let samples = year(400);
    let rounds: usize = samples.iter().map(|it| it.history.len()).sum();
    assert!(rounds > 7000, "{rounds}");
    let page = sample_page(&samples);
    assert!(page.len() <= 500_000, "{} bytes", page.len());
    assert!(page == sample_page(&year(400)));
    let mut reversed = samples;
    reversed.iter_mut().for_each(|it| it.history.reverse());
    assert!(page == sample_page(&reversed));
}

#[test]
fn page_is_well_formed_fetches_nothing_and_its_links_lead_somewhere() {
    let page = sample_page(&year(40));
    let elements = elements(&page);
    let tags = |tag: &str| elements.iter().filter(|(name, _)| name == tag).count();
    for tag in ["script", "link", "img", "iframe", "object", "embed", "form", "base", "image"] {
        assert_eq!(tags(tag), 0, "{tag}");
    }
    assert_eq!((tags("h1"), tags("main"), tags("style")), (1, 1, 1));
    assert_eq!(values(&elements, "src"), [""; 0]);
    assert_eq!(values(&elements, "style"), [""; 0]);
    assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
    let ids = values(&elements, "id");
    let mut once = ids.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), ids.len());
    for href in values(&elements, "href") {
        assert!(href.strip_prefix('#').is_some_and(|id| ids.contains(&id)), "{href}");
    }
    let is_policy = |(name, _): &(String, String)| name == "http-equiv";
    let policy = elements.iter().find(|(_, it)| it.iter().any(is_policy)).unwrap();
    let policy = policy.1[1].1.as_str();
    let sheet = page.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
    let digest = STANDARD.encode(Sha256::digest(sheet));
    assert!(policy.contains("default-src &#39;none&#39;"), "{policy}");
    assert!(policy.contains(&format!("style-src &#39;sha256-{digest}&#39;")), "{policy}");
}

/// Puts a text into every place that others may write.
fn put(sample: &mut Sample, text: &str) {
    let owned = || text.to_owned();
    let key =
        || ObjectKey { group: owned(), kind: owned(), namespace: Some(owned()), name: owned() };
    let status = &mut sample.status;
    (status.context, status.server, status.target) = (owned(), owned(), owned());
    status.cluster_uid = Some(owned());
    let runs = status.runs.as_mut().unwrap();
    runs.commit = owned();
    for it in [&mut runs.tracked, &mut runs.subject, &mut runs.author, &mut runs.by] {
        *it = Some(owned());
    }
    let git = status.git.as_mut().unwrap();
    for it in [&mut git.commit, &mut git.named, &mut git.subject, &mut git.author] {
        *it = owned();
    }
    status.drift = vec![key()];
    status.health.failed = 1;
    status.health.first = Some(UnhealthyObject { key: key(), why: owned() });
    let running = RunningImage { image: owned(), digest: Some(owned()), pods: 1 };
    let (key, container) = (key(), owned());
    let declared = Some(format!("{text}2"));
    status.images = vec![ImageStatus { key, container, declared, running: vec![running] }];
    for round in sample.history.iter_mut().chain(&mut status.last) {
        for it in [&mut round.id, &mut round.target, &mut round.commit, &mut round.named] {
            *it = owned();
        }
        for it in [&mut round.subject, &mut round.author, &mut round.user, &mut round.host] {
            *it = owned();
        }
        round.restored = Some(owned());
    }
}

#[test]
fn a_text_can_add_no_element_and_no_attribute() {
    let tags = |text: &str| {
        let held = [
            Held::RolledBack { failed: text.to_owned() },
            Held::NotTrusted { why: text.to_owned() },
            Held::Pinned { at: text.to_owned() },
            Held::Suspended { why: text.to_owned() },
            Held::Waits { on: WaitsOn::Release, why: text.to_owned() },
        ];
        let mut samples = year(20);
        samples.truncate(held.len() + 1);
        for (sample, held) in samples.iter_mut().zip(held) {
            put(sample, text);
            sample.status.held = Some(held);
        }
        samples[4].status.state = SyncState::Unknown(text.to_owned());
        let targets: Vec<PageTarget<'_>> = samples
            .iter()
            .map(|it| PageTarget { status: &it.status, history: &it.history })
            .collect();
        let unread = [UnreadContext { context: text, why: text }];
        let page =
            page(&Page { made: samples[0].history[0].started, targets: &targets, unread: &unread });
        for raw in ["\u{202e}", "\u{1b}", "\r"] {
            assert!(!page.contains(raw), "{raw:?}");
        }
        let elements = elements(&page).into_iter();
        let names = |it: Vec<(String, String)>| it.into_iter().map(|(name, _)| name).collect();
        let mut all: Vec<(String, Vec<String>)> =
            elements.map(|(tag, it)| (tag, names(it))).collect();
        // Rows stand in the order of their texts.
        all.sort_unstable();
        all
    };
    // The same without what could be markup. A slash and a colon are parts of an image's name.
    let harmless = |text: &str| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | ':');
        text.chars().map(|c| if is_plain(c) { c } else { 'x' }).collect::<String>()
    };
    for text in [
        "<b>bold</b>",
        "\" title=\"x\" '",
        "</style></title></td><br>",
        "<!-- ]]> &lt;b&gt; &#60;b&#62;",
        "\u{202e}\u{1b}[2J\r\n<b",
    ] {
        assert!(tags(text) == tags(&harmless(text)), "{text}");
    }
}

#[test]
fn what_is_in_a_page_is_bounded_whatever_a_cluster_says() {
    let mut samples = year(20);
    let long = "long ".repeat(20_000);
    samples.iter_mut().filter(|it| it.status.runs.is_some()).for_each(|it| put(it, &long));
    let page = sample_page(&samples);
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
}

#[test]
fn verdict_says_what_matters_most() {
    let verdict = |samples: &[Sample], unread: &[UnreadContext<'_>]| {
        let targets: Vec<PageTarget<'_>> =
            samples.iter().map(|it| PageTarget { status: &it.status, history: &[] }).collect();
        let page = page(&Page { made: Timestamp::UNIX_EPOCH, targets: &targets, unread });
        page.split_once("<h1>").unwrap().1.split_once("</h1>").unwrap().0.to_owned()
    };
    let mut samples = year(20);
    samples.drain(4..);
    samples.iter_mut().for_each(|it| it.status.last = None);
    assert_eq!(verdict(&samples, &[]), "2 of 4 targets need attention");
    samples.drain(1..3);
    assert_eq!(verdict(&samples, &[]), "1 of 2 targets is not at git&#39;s commit");
    samples.truncate(1);
    assert_eq!(verdict(&samples, &[]), "In sync and healthy");
    let unread = [UnreadContext { context: "eu", why: "no answer" }];
    assert_eq!(verdict(&samples, &unread), "In sync and healthy, 1 context not reached");
    assert_eq!(verdict(&[], &[]), "No target");
    samples[0].status.health.failed = 1;
    assert_eq!(verdict(&samples, &[]), "1 of 1 target needs attention");
}

#[test]
fn a_time_line_counts_every_round_of_its_window() {
    let made: Timestamp = "2026-11-29T12:00:00Z".parse().unwrap();
    let days = |days: i64| made - jiff::SignedDuration::from_hours(24 * days);
    for (age, words) in [
        (0, "the last 7 days"),
        (6, "the last 7 days"),
        (7, "the last 28 days"),
        (60, "the last 91 days"),
        (91, "the last 52 weeks"),
        (4000, "the last 52 weeks"),
    ] {
        let scale = Scale::of(Some(days(age)), made);
        assert_eq!(scale.words(), words, "{age}");
        let samples = year(300);
        let rounds: Vec<&Summary> = samples[0].history.iter().collect();
        let within = |it: &&&Summary| scale.window.has(it.started);
        let parts = scale.parts(rounds.iter().copied());
        let counted: usize = parts.iter().map(timeline::Part::count).sum();
        assert_eq!(counted, rounds.iter().filter(within).count(), "{age}");
        assert!(scale.labels().iter().all(|(place, _)| (0.0..100.0).contains(place)));
        assert!(scale.labels().len() >= 4, "{age}");
    }
    assert_eq!(Scale::of(None, made).words(), "the last 7 days");
}

#[test]
fn rounds_are_told_by_how_they_ended() {
    let samples = year(20);
    let made = samples[0].history.last().unwrap().ended;
    let rounds = |outcome: RunOutcome| {
        let mut round = samples[0].history[0].clone();
        (round.outcome, round.started, round.cause) =
            (outcome, made, crate::core::history::Cause::Deployment);
        round
    };
    let scale = Scale::of(Some(made), made);
    let all: Vec<Summary> = RunOutcome::ALL.into_iter().map(rounds).collect();
    let sum = timeline::Part::sum(&scale.parts(&all));
    assert_eq!(sum.words(), "2 deployed, 2 failed, 1 rolled back, 3 other rounds");
}

#[test]
fn a_small_page_reads_like_this() {
    let mut samples = year(2);
    samples.truncate(3);
    let page = sample_page(&samples);
    let (before, rest) = page.split_once("<style>").unwrap();
    let (_, after) = rest.split_once("</style>").unwrap();
    let before = before.split_once("<meta http-equiv").unwrap().0;
    let version = concat!("trueup ", env!("CARGO_PKG_VERSION"));
    let text = format!("{before}…{after}").replace(version, "trueup VERSION");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/screens/page"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("html", text));
}
