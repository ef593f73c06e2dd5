//! Forms of one target, and of names that need quotes.

use super::cron::schedule;
use super::*;

fn shop() -> Installation {
    Installation {
        target: Some("prod".into()),
        inventory: Inventory { name: "trueup-prod".into(), namespace: "shop".into() },
        url: "ssh://git@git.example/shop".into(),
        branch: "main".into(),
        checkout: "/srv/shop".into(),
        interval: Duration::from_secs(300),
        program: "/usr/local/bin/trueup".into(),
        image: "trueup:1".into(),
        mail_to: "root".into(),
        account: Account { namespace: "shop".into(), name: "trueup-prod".into() },
        replicas: None,
    }
}

fn odd() -> Installation {
    Installation {
        target: Some("it's $HOME \"50%\" \\ grün".into()),
        url: "https://git.example/a b?c=%20".into(),
        checkout: "/srv/it's 50%".into(),
        ..shop()
    }
}

/// The lines of a unit with this key, and what stands behind it.
fn values<'a>(unit: &'a str, key: &str) -> Vec<&'a str> {
    unit.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('=')).collect()
}

/// A command line as systemd splits it (systemd.service(5), "COMMAND LINES"), with `%S` as `/S`.
fn split(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut any) = (Vec::new(), String::new(), false, false);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => (quote, any) = (!quote, true),
            ' ' if !quote => {
                if any || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                any = false;
            }
            '\\' if quote => word.extend(chars.next()),
            '%' if chars.peek() == Some(&'S') => {
                chars.next();
                word += "/S";
            }
            '%' | '$' => {
                assert_eq!(chars.next(), Some(c), "a specifier or variable in {line}");
                word.push(c);
            }
            c => word.push(c),
        }
    }
    assert!(!quote, "{line}");
    words.push(word);
    words
}

#[test]
fn a_service_clones_and_watches() {
    let unit = service(&shop());
    let pull = "/usr/local/bin/trueup -C %S/trueup-prod/checkout pull --url ssh://git@git.example/shop --branch main";
    assert_eq!(values(&unit, "ExecStartPre"), [pull]);
    let watch = "/usr/local/bin/trueup -C %S/trueup-prod/checkout watch --target prod --namespace shop --interval 300s";
    assert_eq!(values(&unit, "ExecStart"), [watch]);
    assert_eq!(values(&unit, "LoadCredential"), ["kubeconfig:/etc/trueup/trueup-prod.kubeconfig"]);
    // The watch says that it is ready and alive.
    assert_eq!(values(&unit, "Type"), ["notify"]);
    assert_eq!(values(&unit, "WatchdogSec"), ["1min"]);
}

#[test]
fn commands_of_units_are_read_back() {
    let install = odd();
    for unit in [service(&install), timer(&install)] {
        let start = split(values(&unit, "ExecStart")[0]);
        assert_eq!(start[..3], ["/usr/local/bin/trueup", "-C", "/S/trueup-prod/checkout"]);
        assert_eq!(start[3..6], ["watch", "--target", install.target.as_deref().unwrap()]);
        let pull = split(values(&unit, "ExecStartPre")[0]);
        assert!(pull.contains(&install.url), "{pull:?}");
    }
}

#[test]
fn a_timer_waits_after_each_round() {
    let units = timer(&shop());
    assert_eq!(values(&units, "OnUnitInactiveSec"), ["300s"]);
    assert_eq!(values(&units, "Type"), ["oneshot"]);
    assert!(values(&units, "ExecStart")[0].ends_with(" --once"), "{units}");
}

#[test]
fn a_crontab_mails_all_that_is_said() {
    let text = crontab(&shop()).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(
        lines,
        [
            "MAILTO=root",
            "*/5 * * * * /usr/local/bin/trueup -C /srv/shop watch --target prod --namespace shop --once",
        ]
    );
    assert!(!text.contains('>'), "{text}");
    let text = crontab(&odd()).unwrap();
    let command = text.lines().last().unwrap();
    assert!(command.contains(r#"-C '/srv/it'\''s 50\%' watch"#), "{command}");
    assert!(command.contains(r#"'it'\''s $HOME "50\%" \ grün'"#), "{command}");
}

#[test]
fn intervals_that_cron_has() {
    let fields = |seconds| schedule(Duration::from_secs(seconds)).ok();
    for (seconds, expected) in [
        (60, "* * * * *"),
        (300, "*/5 * * * *"),
        (1800, "*/30 * * * *"),
        (3600, "0 * * * *"),
        (21_600, "0 */6 * * *"),
        (86_400, "0 0 * * *"),
    ] {
        assert_eq!(fields(seconds).as_deref(), Some(expected), "{seconds}");
    }
    for seconds in [0, 30, 90, 420, 5400, 18_000, 172_800] {
        assert_eq!(fields(seconds), None, "{seconds}");
    }
}

#[test]
fn manifests_and_workflows_are_read_back() {
    for install in [shop(), odd()] {
        for form in [Workload::Deployment, Workload::CronJob] {
            let text = workload(&install, form).unwrap();
            let read = crate::core::manifest::read("out.yaml", text.as_bytes());
            assert_eq!((read.problems, read.warnings), (vec![], vec![]), "{text}");
            let [account, object] = &read.manifests[..] else { panic!("{text}") };
            assert_eq!(account.object.kind(), "ServiceAccount");
            let spec = object.object.0.get("spec").unwrap();
            let pod = match form {
                Workload::Deployment => &spec["template"]["spec"],
                Workload::CronJob => &spec["jobTemplate"]["spec"]["template"]["spec"],
            };
            let args = pod["containers"][0]["args"].as_array().unwrap();
            let args: Vec<&str> = args.iter().filter_map(|arg| arg.as_str()).collect();
            assert!(args.contains(&install.target.as_deref().unwrap()), "{args:?}");
            assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
            for container in ["initContainers", "containers"] {
                let security = &pod[container][0]["securityContext"];
                assert_eq!(security["readOnlyRootFilesystem"], true);
                assert_eq!(security["capabilities"]["drop"][0], "ALL");
            }
        }
        let text = workflow(&install);
        let read = crate::core::manifest::value("trueup.yaml", text.as_bytes());
        let (value, _) = read.unwrap().unwrap();
        assert_eq!(value["permissions"]["contents"], "read");
        let steps = value["jobs"]["apply"]["steps"].as_array().unwrap();
        let apply = steps.last().unwrap()["run"].as_str().unwrap();
        let target = shell_word(install.target.as_deref().unwrap());
        assert!(apply.contains(&format!("trueup apply --target {target} --namespace")), "{apply}");
    }
}

/// An event's text is for the environment: in a script it would be a part of the script.
#[test]
fn no_expression_is_in_a_script() {
    let text = workflow(&odd());
    let (value, _) = crate::core::manifest::value("w.yaml", text.as_bytes()).unwrap().unwrap();
    for job in ["check", "apply"] {
        for step in value["jobs"][job]["steps"].as_array().unwrap() {
            assert!(!step["run"].as_str().unwrap().contains("${{"), "{step}");
        }
    }
}

#[test]
fn line_breaks_and_expressions_fit_no_form() {
    assert_eq!(odd().unfit(), None);
    for text in ["a\nb", "a\0b", "${{ github.token }}"] {
        let install = Installation { target: Some(text.into()), ..shop() };
        assert_eq!(install.unfit(), Some(text));
    }
}

#[test]
fn every_text_is_read_back() {
    for text in ["web", "true", "1e3", "a\"b\\c", "\u{1b}[31m", "ß\u{2028}", "\u{1f600}"] {
        let yaml: serde_yaml::Value = serde_yaml::from_str(&quoted(text)).unwrap();
        assert_eq!(yaml.as_str(), Some(text), "{}", quoted(text));
        assert!(quoted(text).chars().all(|c| (' '..='~').contains(&c)));
    }
}

#[test]
fn packaged_unit_is_confined_as_the_printed_one_is() {
    let packaged = include_str!("../../../fixtures/packages/trueup@.service");
    assert!(packaged.contains(super::systemd::CONFINEMENT), "{packaged}");
    for key in ["DynamicUser", "Type", "WatchdogSec", "Restart"] {
        assert_eq!(values(packaged, key), values(&service(&shop()), key), "{key}");
    }
}
