use super::*;

const TWO: &[u8] = b"targets:\n  prod: {paths: [envs/prod], namespace: shop}\n  staging: {paths: [envs/staging]}\n";

#[test]
fn a_target_is_chosen_by_name_or_by_being_alone() {
    let two = Config::read(TWO).unwrap();
    let (name, prod) = two.target(Some("prod")).unwrap().unwrap();
    assert_eq!((name.as_str(), prod.paths[0].as_str()), ("prod", "envs/prod"));
    let known = vec!["prod".to_owned(), "staging".to_owned()];
    assert_eq!(two.target(None), Err(ConfigError::Ambiguous { known: known.clone() }));
    let name = "edge".to_owned();
    let unknown = ConfigError::UnknownTarget { name, known: known.clone() };
    assert_eq!(unknown.hint().unwrap(), "choose one with --target: prod, staging");
    assert_eq!(two.target(Some("edge")), Err(unknown));
    let near = two.target(Some("stagng")).unwrap_err();
    let expected = "did you mean \"staging\"? trueup.yaml has prod, staging";
    assert_eq!(near.hint().unwrap(), expected);
    let one = Config::read(b"targets: {prod: {paths: [a]}}").unwrap();
    assert_eq!(one.target(None).unwrap().unwrap().0, "prod");
    assert_eq!(Config::read(b" \n").unwrap().target(None), Ok(None));
}

#[test]
fn a_rule_knows_its_place_and_a_wrong_path_is_an_error_with_its_own() {
    let rules = |path: &str| {
        let rule = format!("{{kind: Deployment, paths: [/spec/a, {path}]}}");
        Config::read(
            format!("targets:\n  a:\n    paths: [a]\n    redact:\n    - {rule}\n").as_bytes(),
        )
    };
    assert_eq!(rules("/spec/b").unwrap().redact(Some("a"))[0].at, Some((5, 7)));
    assert_eq!(
        rules("/spec~b").unwrap_err().to_string(),
        "trueup.yaml:5:43: targets.a.redact[0].paths[1]: `~` is written `~0` in a path to a field, and `/` is written `~1`"
    );
    let none = Config::read(b"targets: {a: {paths: [a], ignore: [{kind: Pod}]}}").unwrap_err();
    assert!(none.to_string().contains("missing field `paths`"), "{none}");
}

#[test]
fn a_rule_of_health_that_can_not_be_read_is_an_error_with_its_place() {
    let rule = |ready: &str| {
        let text = format!(
            "targets:\n  a:\n    paths: [a]\n    health:\n    - kind: Widget\n      ready: {ready}\n"
        );
        Config::read(text.as_bytes()).map_err(|error| error.to_string())
    };
    assert!(rule("object.status.phase == 'Done'").is_ok());
    assert!(rule("[{condition: Ready}]").is_ok());
    assert_eq!(
        rule("object.status.phase =").unwrap_err(),
        "trueup.yaml:6:14: targets.a.health[0].ready: Syntax error: token recognition error at: '=', at character 21"
    );
    let number = rule("7").unwrap_err();
    assert!(number.ends_with("expected an expression in CEL, or a list of conditions"), "{number}");
}

#[test]
fn an_unknown_key_is_an_error_with_its_place() {
    let error = Config::read(b"targets:\n  prod:\n    path: [a]\n").unwrap_err();
    assert_eq!(
        error.to_string(),
        "trueup.yaml:3:5: targets.prod: unknown key \"path\", did you mean \"paths\"?"
    );
    let error = Config::read(b"targets:\n  prod:\n    paths: [a]\n    labels: 3\n").unwrap_err();
    assert_eq!(
        error.to_string(),
        "trueup.yaml:4:5: targets.prod: unknown key \"labels\"; allowed here: paths, ref, namespace, name, on-conflict, replace, max-prune, mode, windows, strict, verify, after, interval, wait, timeout, lock-timeout, cascade, on-failure, render, ignore, redact and health"
    );
}

#[test]
fn run_options_of_a_target_parse_like_flags() {
    let said = |keys: &str| {
        let config = Config::read(format!("targets: {{a: {{paths: [a], {keys}}}}}").as_bytes());
        config.map(|mut config| config.targets.remove("a").unwrap_or_default())
    };
    let all = said(
        "replace: [Job], max-prune: 60%, strict: true, verify: true, wait: false, timeout: 1h30m, \
         lock-timeout: 0, cascade: orphan, on-failure: rollback",
    );
    let all = all.unwrap();
    assert_eq!((all.strict, all.verify, all.replace.contains("Job")), (true, true, true));
    assert_eq!(all.max_prune, Some(MaxPrune::Percent(60)));
    let run_options = RunOptions {
        wait: Some(false),
        timeout: Some(Duration::from_secs(5400)),
        lock_timeout: Some(Duration::ZERO),
        cascade: Some(Cascade::Orphan),
        on_failure: Some(OnFailure::Rollback),
    };
    assert_eq!(all.run_options(), run_options);
    assert_eq!(said("max-prune: 12").unwrap().max_prune, Some(MaxPrune::Objects(12)));
    assert_eq!(said("timeout: 2.5").unwrap().timeout, Some(Duration::from_millis(2500)));
    assert_eq!(said("name: b").unwrap().run_options(), RunOptions::default());
}

#[test]
fn a_wrong_value_is_an_error_with_its_place() {
    for (key, value, message) in [
        (
            "max-prune",
            "half",
            "invalid limit \"half\": expected a number of objects such as 12, or a share such as 60%",
        ),
        (
            "max-prune",
            "-1",
            "invalid limit \"-1\": expected a number of objects such as 12, or a share such as 60%",
        ),
        ("replace", "Job", "invalid type: string \"Job\", expected a sequence"),
        ("strict", "maybe", "invalid type: string \"maybe\", expected a boolean"),
        ("wait", "5m", "invalid type: string \"5m\", expected a boolean"),
        ("timeout", "0", "must be more than 0"),
        ("timeout", "[5m]", "invalid type: sequence, expected a text or a number"),
        ("lock-timeout", "soon", "invalid duration \"soon\": expected 90s, 5m or 1h30m"),
        (
            "cascade",
            "all",
            "unknown value \"all\"; allowed here: background, foreground and orphan",
        ),
        ("on-failure", "retry", "unknown value \"retry\"; allowed here: stop and rollback"),
        ("on-conflict", "ask", "unknown value \"ask\"; allowed here: force, fail and yield"),
    ] {
        let text = format!("targets:\n  a:\n    paths: [a]\n    {key}: {value}\n");
        let error = Config::read(text.as_bytes()).unwrap_err().to_string();
        let column = 7 + key.len();
        let place = format!("trueup.yaml:4:{column}: ");
        assert_eq!(error, format!("{place}targets.a.{key}: {message}"));
    }
}

#[test]
fn target_without_paths_is_an_error() {
    for paths in ["[]", "['']", "[a, /]"] {
        let config = format!("targets:\n  prod:\n    paths: {paths}\n");
        let error = Config::read(config.as_bytes()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "trueup.yaml:3:12: targets.prod.paths: a path is missing; for the whole checkout write `paths: [.]`"
        );
    }
}
