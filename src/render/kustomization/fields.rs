//! The fields of a kustomization, and of what configures kustomize's own generators and
//! transformers: which of them there are, and which name files.
//!
//! kustomize decodes both with Go's `encoding/json`, which matches keys without regard to case. Here
//! a key counts in its one proper spelling, and [`super::findings`] refuses every other key, so that
//! there is no spelling that kustomize understands and trueup does not.

/// Keys of a map, and what each holds.
pub(super) type Keys = &'static [(&'static str, Field)];

/// The content of a field.
pub(super) enum Field {
    /// Nothing in it names a file.
    Plain,
    /// A map with these keys.
    Map(Keys),
    /// A list of maps with these keys.
    List(Keys),
    /// One name, or a list of names.
    Names(Names),
    /// The configuration of generators and transformers, which [`super::plugins`] reads.
    Plugins,
    /// Charts that kustomize would have Helm render.
    Charts,
}

/// The kinds of names in a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    /// A file.
    File,
    /// A file, perhaps behind a key of its own: `key=path`.
    KeyedFile,
    /// A patch as YAML, or else a file.
    Patch,
    /// The folder of a kustomization.
    Folder,
    /// A file, or else the folder of a kustomization.
    FileOrFolder,
}

use Field::{Charts, List, Map, Names as Named, Plain, Plugins};
use Names::{File, FileOrFolder, Folder, KeyedFile, Patch};

/// The fields of `types.Kustomization` besides [`OBJECT`].
pub(super) const KUSTOMIZATION: Keys = &[
    ("openapi", Map(&[("path", Named(File)), ("version", Plain)])),
    ("namePrefix", Plain),
    ("nameSuffix", Plain),
    ("namespace", Plain),
    ("commonLabels", Plain),
    ("labels", Plain),
    ("commonAnnotations", Plain),
    ("patchesStrategicMerge", Named(Patch)),
    ("patchesJson6902", List(PATCH)),
    ("patches", List(PATCH)),
    ("images", Plain),
    ("imageTags", Plain),
    ("replacements", List(REPLACEMENT)),
    ("replicas", Plain),
    ("vars", Plain),
    ("sortOptions", Plain),
    ("resources", Named(FileOrFolder)),
    ("components", Named(Folder)),
    ("crds", Named(File)),
    ("bases", Named(FileOrFolder)),
    ("configMapGenerator", List(GENERATOR)),
    ("secretGenerator", List(GENERATOR)),
    ("helmGlobals", Charts),
    ("helmCharts", Charts),
    ("helmChartInflationGenerator", Charts),
    ("generatorOptions", Plain),
    ("configurations", Named(File)),
    ("generators", Plugins),
    ("transformers", Plugins),
    ("validators", Plugins),
    ("buildMetadata", Plain),
];

/// The fields of a kustomization whose entries configure generators and transformers.
pub(super) const PLUGINS: [&str; 3] = ["generators", "transformers", "validators"];

/// Fields that a kustomization of generators or transformers may have: with anything else, the
/// names of files in them would be computed.
pub(super) const PLAIN: [&str; 5] = ["apiVersion", "kind", "metadata", "resources", "bases"];

const PATCH: Keys =
    &[("path", Named(File)), ("patch", Plain), ("target", Plain), ("options", Plain)];

const REPLACEMENT: Keys =
    &[("path", Named(File)), ("source", Plain), ("targets", Plain), ("sourceValue", Plain)];

const GENERATOR: Keys = &[
    ("namespace", Plain),
    ("name", Plain),
    ("behavior", Plain),
    ("literals", Plain),
    ("files", Named(KeyedFile)),
    ("envs", Named(File)),
    ("env", Named(File)),
    ("options", Plain),
    ("type", Plain),
];

/// The fields that every object has.
pub(super) const OBJECT: Keys = &[("apiVersion", Plain), ("kind", Plain), ("metadata", Plain)];

/// kustomize's own generators and transformers, and what each is configured with besides [`OBJECT`].
/// All others are plugins, which run with a flag only that trueup never gives.
pub(super) const BUILTIN: &[(&str, Keys)] = &[
    ("AnnotationsTransformer", &[("annotations", Plain), ("fieldSpecs", Plain)]),
    ("ConfigMapGenerator", GENERATOR),
    ("HashTransformer", &[]),
    (
        "IAMPolicyGenerator",
        &[("cloud", Plain), ("kubernetesService", Plain), ("serviceAccount", Plain)],
    ),
    ("ImageTagTransformer", &[("imageTag", Plain), ("fieldSpecs", Plain)]),
    ("LabelTransformer", &[("labels", Plain), ("fieldSpecs", Plain)]),
    (
        "NamespaceTransformer",
        &[("fieldSpecs", Plain), ("unsetOnly", Plain), ("setRoleBindingSubjects", Plain)],
    ),
    ("PatchJson6902Transformer", &[("target", Plain), ("path", Named(File)), ("jsonOp", Plain)]),
    ("PatchStrategicMergeTransformer", &[("paths", Named(Patch)), ("patches", Plain)]),
    ("PatchTransformer", PATCH),
    ("PrefixSuffixTransformer", &[("prefix", Plain), ("suffix", Plain), ("fieldSpecs", Plain)]),
    ("PrefixTransformer", &[("prefix", Plain), ("fieldSpecs", Plain)]),
    ("ReplacementTransformer", &[("replacements", List(REPLACEMENT))]),
    ("ReplicaCountTransformer", &[("replica", Plain), ("fieldSpecs", Plain)]),
    ("SecretGenerator", GENERATOR),
    ("SuffixTransformer", &[("suffix", Plain), ("fieldSpecs", Plain)]),
    (
        "ValueAddTransformer",
        &[("value", Plain), ("targets", Plain), ("targetFilePath", Named(File))],
    ),
];

/// A key as Go's `encoding/json` compares it, as far as it can be one of these tables'.
pub(super) fn fold(key: &str) -> String {
    key.chars()
        .map(|char| match char {
            // Unicode folds two characters more into ASCII letters.
            '\u{17f}' => 's',
            '\u{212a}' => 'k',
            char => char.to_ascii_lowercase(),
        })
        .collect()
}
