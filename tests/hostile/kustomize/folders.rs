//! Folders outside the checkout, which kustomize builds wherever they are.

use super::{Listener, MARK, WEB, World, problems};

/// The way from a kustomization in the private copy to the folder outside: kustomize would find it
/// from there, and from the checkout's own folder by the last part of it.
const UP: &str = "../../../../../outside";

/// Asserts that nothing of the folder outside is rendered, and that this is said.
#[track_caller]
fn refused(files: &[(&str, &str)], said: &str) {
    let world = World::new(files);
    let output = world.render(&[]).exits(1);
    assert!(problems(&output).contains(&format!("! {said}").as_str()), "no {said:?}\n{output}");
    assert!(!output.stdout.contains(MARK), "{output}");
}

#[test]
fn a_folder_outside_is_not_built_however_its_field_is_spelt() {
    for (field, folder) in [("resources", UP), ("bases", UP), ("components", UP)] {
        for spelt in [field.to_owned(), field.to_uppercase(), field.replace('s', "\u{17f}")] {
            let text = format!("{spelt}: [{folder}]\n");
            let said = match spelt == field {
                true => format!(
                    "app/kustomization.yaml:1:{}: {folder} leads out of the checkout",
                    field.len() + 4
                ),
                false => {
                    format!("app/kustomization.yaml:1:1: kustomize reads `{spelt}` as `{field}`")
                }
            };
            refused(&[("app/kustomization.yaml", &text)], &said);
        }
    }
    for field in ["generators", "transformers", "validators"] {
        let text = format!("{field}:\n- {UP}\n");
        let said = format!("app/kustomization.yaml:2:3: {UP} leads out of the checkout");
        refused(&[("app/kustomization.yaml", &text)], &said);
    }
}

#[test]
fn a_text_is_a_path_where_kustomize_takes_it_for_one() {
    // Neither is YAML of an object, nor are its parts there: kustomize takes them off all the same.
    let said =
        |shown: &str| format!("app/kustomization.yaml:2:3: {shown} leads out of the checkout");
    for field in ["resources", "components", "generators", "transformers"] {
        let text = format!("{field}:\n- '{{/../{UP}'\n");
        refused(&[("app/kustomization.yaml", &text)], &said(&format!("{{/../{UP}")));
        let text = format!("{field}:\n- \"{UP}/x\\n/..\"\n");
        refused(&[("app/kustomization.yaml", &text)], &said(&format!("{UP}/x…")));
    }
}

#[test]
fn a_nested_kustomization_can_not_pass_for_another_tool_s() {
    let nested = format!("apiVersion: ''\nresources: [{UP}]\n");
    let app = ("app/kustomization.yaml", "resources: [../base]\n");
    refused(
        &[app, ("base/kustomization.yaml", &nested)],
        &format!("base/kustomization.yaml:2:13: {UP} leads out of the checkout"),
    );
    let nested = format!(
        "apiVersion: example.com/v1\napiversion: kustomize.config.k8s.io/v1beta1\nresources: [{UP}]\n"
    );
    refused(
        &[app, ("base/kustomization.yaml", &nested)],
        "base/kustomization.yaml:2:1: kustomize reads `apiversion` as `apiVersion`",
    );
    refused(
        &[app, ("base/kustomization.yaml", "apiVersion: kustomize.toolkit.fluxcd.io/v1\n")],
        "base/kustomization.yaml:1:13: kustomize builds no other version than kustomize.config.k8s.io/v1beta1",
    );
}

#[test]
fn flux_kustomization_object_is_rendered_as_a_manifest() {
    let flux = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps, namespace: flux}\nspec: {path: ./apps}\n";
    let world = World::new(&[("flux/kustomization.yaml", flux)]);
    let output = world.render(&[]).exits(0);
    assert!(output.stdout.contains("path: ./apps"), "{output}");
}

#[test]
fn a_file_by_the_name_of_a_url_does_not_stand_for_it() {
    let listener = Listener::start();
    let url = listener.url();
    let app = format!("resources:\n- {url}\n");
    let file = format!("app/{}", url.replace("//", "/"));
    let world = World::new(&[("app/kustomization.yaml", &app), (&file, WEB)]);
    let output = world.render(&[]).exits(1);
    assert!(output.stderr.contains("nothing is fetched while rendering"), "{output}");
    assert_eq!(listener.visits(), 0, "{output}");
}

#[test]
fn charts_and_plugins_are_not_run() {
    for (text, said) in [
        (
            "helmCharts: [{name: web, repo: 'https://example.com'}]",
            "1:1: `helmCharts` would have kustomize run Helm, and kustomize runs no other program here",
        ),
        (
            "helmGlobals: {chartHome: ../../x}",
            "1:1: `helmGlobals` would have kustomize run Helm, and kustomize runs no other program here",
        ),
        (
            "transformers: ['{apiVersion: example.com/v1, kind: Run, metadata: {name: run}}']",
            "1:16: Run of example.com/v1 is not built into kustomize, and kustomize runs no plugins here",
        ),
    ] {
        let said = format!("app/kustomization.yaml:{said}");
        refused(&[("app/kustomization.yaml", text)], &said);
    }
}
