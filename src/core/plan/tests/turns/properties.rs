//! Properties of every set of objects.

use proptest::prelude::*;

use super::*;

/// One object: its kind, its number, its wave, and the numbers that it names, by a field or by
/// an annotation.
type One = (usize, u8, i64, Option<u8>, Option<u8>);

const KINDS: [(&str, &str); 7] = [
    ("v1", "ConfigMap"),
    ("apps/v1", "Deployment"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("v1", "Service"),
    ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"),
    ("a.example/v1", "Thing"),
    ("v1", "Namespace"),
];

fn worlds() -> impl Strategy<Value = Vec<One>> {
    let (number, wave) = (0..8_u8, prop_oneof![4 => Just(0), 1 => -1..2_i64]);
    let name = prop::option::weighted(0.5, 0..8_u8);
    let said = prop::option::weighted(0.15, 0..8_u8);
    prop::collection::vec((0..KINDS.len(), number, wave, name, said), 0..24)
}

fn text(one: &One) -> String {
    let (kind, number, wave, name, said) = one;
    let (version, kind) = KINDS[*kind];
    let mut annotations = Vec::new();
    if *wave != 0 {
        annotations.push(format!("trueup.dev/wave: '{wave}'"));
    }
    if let Some(said) = said {
        annotations.push(format!(
            "{}: apps/namespaces/shop/Deployment/o{said}",
            order_switches::DEPENDS_ON
        ));
    }
    let rest = match (kind, name) {
        ("Deployment", Some(name)) => POD.replace("name: one", &format!("name: o{name}")),
        ("HorizontalPodAutoscaler", Some(name)) => format!(
            "spec: {{scaleTargetRef: {{apiVersion: autoscaling/v2, kind: {kind}, name: o{name}}}}}"
        ),
        _ => String::new(),
    };
    let annotations = format!("  annotations: {{{}}}\n{rest}", annotations.join(", "));
    let name = if kind == "Namespace" { "shop".to_owned() } else { format!("o{number}") };
    document(version, kind, &name, &annotations)
}

/// Goes through a half as carrying out does, with some changes that fail, and returns who was
/// tried in which order.
fn carried_out(half: &OrderedChanges, fails: impl Fn(usize) -> bool) -> Vec<(usize, bool)> {
    let mut queue = Queue::new(&half.graph);
    let mut tried = Vec::new();
    let mut flying = Vec::new();
    loop {
        while let Some((at, blocker)) = queue.take() {
            match blocker {
                Some(_) => {
                    tried.push((at, false));
                    queue.ended(at, ChangeEnd::Badly, blocker);
                }
                None => flying.push(at),
            }
        }
        // The last that was begun is the first to end.
        let Some(at) = flying.pop() else { return tried };
        tried.push((at, true));
        queue.ended(at, if fails(at) { ChangeEnd::Badly } else { ChangeEnd::Succeeded }, None);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    #[test]
    fn every_object_is_scheduled_after_its_dependencies(world in worlds(), bad in 0..24_usize) {
        let desired = commit(&world.iter().map(text).collect::<String>());
        for (half, plan) in [(0, first(&desired)), (1, last(&desired))] {
            let half = if half == 0 { &plan.desired } else { &plan.undesired };
            prop_assert_eq!(half.changes.len(), desired.objects.len());
            let keys: BTreeSet<&ObjectKey> = half.changes.iter().map(|c| &c.key).collect();
            prop_assert_eq!(keys.len(), desired.objects.len());
            for at in 0..half.changes.len() {
                let all = before(&half.graph, at);
                prop_assert!(all.iter().all(|(on, _)| *on < at), "it is listed in that order");
            }
            let tried = carried_out(half, |at| at == bad);
            let ended: BTreeSet<usize> = tried.iter().map(|(at, _)| *at).collect();
            prop_assert_eq!(ended.len(), half.changes.len());
            prop_assert_eq!(tried.len(), half.changes.len());
            let when = |at: usize| tried.iter().position(|(one, _)| *one == at);
            for at in 0..half.changes.len() {
                for (on, why) in before(&half.graph, at) {
                    prop_assert!(when(on) < when(at));
                    let is_held = why != DependencyKind::Kind && on == bad && ended.contains(&bad);
                    prop_assert!(!is_held || tried.contains(&(at, false)));
                }
            }
        }
    }

    #[test]
    fn the_order_in_which_objects_are_declared_makes_no_difference(
        world in worlds(),
        seed in any::<prop::sample::Index>(),
    ) {
        let mut known = BTreeSet::new();
        let mut world: Vec<One> = world
            .into_iter()
            .filter(|one| known.insert((one.0, if one.0 == 6 { 0 } else { one.1 })))
            .collect();
        let told = |world: &[One]| {
            let plan = first(&commit(&world.iter().map(text).collect::<String>()));
            let changes: Vec<_> =
                plan.changes().map(|change| (change.key.clone(), change.action())).collect();
            let warnings: Vec<String> = plan.warnings.into_iter().map(|w| w.message).collect();
            (changes, plan.desired.graph, warnings)
        };
        let straight = told(&world);
        if !world.is_empty() {
            let middle = seed.index(world.len());
            world.rotate_left(middle);
        }
        world.reverse();
        prop_assert_eq!(told(&world), straight);
    }

    #[test]
    fn waves_hold_whatever_else_is_said(world in worlds()) {
        let desired = commit(&world.iter().map(text).collect::<String>());
        let plan = first(&desired);
        let wave = |change: &Change| {
            let said = order_switches::OrderSwitches::of(&desired.objects[&change.key].object).unwrap();
            (change.key.kind != "Namespace").then(|| said.wave.map_or(0, |(wave, _)| wave))
        };
        let in_turn: Vec<i64> =
            plan.changes().filter(|c| c.action() == Action::Create).filter_map(wave).collect();
        prop_assert!(in_turn.is_sorted(), "{in_turn:?}");
    }
}
