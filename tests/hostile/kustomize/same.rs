//! What is rendered is what kustomize makes of the files as they are written, though it is given
//! what trueup understood of them.

use super::{WEB, World};

#[test]
fn normalised_kustomization_renders_identically() {
    let patch =
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {patched: \"yes\"}\n";
    let namer = "# Why\napiVersion: builtin\nkind: PrefixTransformer\nmetadata: {name: namer}\nprefix: pre-\nfieldSpecs: [{path: metadata/name}]\n---\napiVersion: builtin\nkind: LabelTransformer\nmetadata: {name: labels}\nlabels: {a: \"1\"}\nfieldSpecs: [{path: metadata/labels, create: true}]\n";
    let app = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [web.yaml]\nnameSuffix: -a\nnameSuffix: -b\npatches:\n- path: patch.yaml\n- target: &web {kind: ConfigMap, name: web}\n  patch: |-\n    # The second key.\n    - {op: add, path: /data/second, value: \"a\\tb\\u0085c\"}\n- patch: |-\n    - {op: add, path: /data/third, value: on}\n  target: {<<: *web}\ncommonAnnotations: {note: \"é \\u2028 \\U0001F600 #x\"}\nconfigMapGenerator:\n- name: made\n  literals: [\"a=x: y # z\", b=1.0]\n  files: [renamed=data.txt]\n  envs: [a.env]\n  options: {disableNameSuffixHash: yes}\nimages: [{name: a, newTag: \"1.10\"}]\nreplicas: []\ntransformers: [namer.yaml, ../shared]\ngenerators:\n- |-\n  # Inline\n  apiVersion: builtin\n  kind: ConfigMapGenerator\n  metadata: {name: inline}\n  literals:\n  - c=d\n";
    let shared = "apiVersion: builtin\nkind: AnnotationsTransformer\nmetadata: {name: annotations}\nannotations: {shared: \"yes\"}\nfieldSpecs: [{path: metadata/annotations, create: true}]\n";
    let world = World::new(&[
        ("app/kustomization.yaml", app),
        ("app/web.yaml", WEB),
        ("app/patch.yaml", patch),
        ("app/namer.yaml", namer),
        ("app/data.txt", "text\n"),
        ("app/a.env", "E=f\n"),
        ("shared/kustomization.yml", "resources: [annotate.yaml]\n"),
        ("shared/annotate.yaml", shared),
        (".trueupignore", "shared/\n"),
    ]);
    let objects = |yaml: &str| -> Vec<_> {
        let reading = trueup::core::manifest::read("rendered.yaml", yaml.as_bytes());
        assert_eq!(reading.problems, []);
        let mut objects: Vec<_> = reading
            .manifests
            .into_iter()
            .map(|manifest| format!("{:?}", manifest.object))
            .collect();
        objects.sort();
        objects
    };
    let written = objects(&world.kustomize("app").exits(0).stdout);
    let rendered = objects(&world.render(&[]).exits(0).stdout);
    assert_eq!(written.len(), 3);
    assert_eq!(rendered, written);
}
