//! Mutated Jsonnet and charts against what looks for the files that they read.

use trueup::core::source::formats::Formats;
use trueup::render::file_index::FileIndex;
use trueup::render::sources::Sources;

use super::{fuzz, misplaced};
use crate::support::mutate::Mutator;

const SEEDS: [&str; 5] = [
    "local k = import 'k.libsonnet';\n{ a: importstr \"../b.txt\", b: k.f(1) + { c: 'x' } }\n",
    "// import 'no'\n# import 'no'\n/* import 'no' */ local t = |||\n  import 'no'\n||| + @'im''port' + \"\\\"\"; [importbin 'x.bin', t]\n",
    "[(import'k.libsonnet'), import @\"k.libsonnet\", import |||\n\tk.libsonnet\n|||]",
    "apiVersion: v2\nname: web\nversion: 1.0.0\ntype: application\ndependencies:\n- name: db\n  version: 1.0.0\n  repository: https://charts.example.com\n  alias: store\n",
    "dependencies: [{name: db, repository: 'file://../db'}]\n",
];

const WORDS: [&str; 12] =
    ["import ", "importstr", "'", "\"", "|||", "\n", "/*", "*/", "//", "@'", "../../../x", "\\"];

#[test]
#[ignore = "takes about a minute"]
fn imports() {
    let seeds = SEEDS.map(|seed| seed.as_bytes().to_vec()).to_vec();
    let mut turn = 0;
    fuzz(
        150_000,
        |seed| Mutator::over(seed, seeds, &WORDS),
        |bytes| {
            turn += 1;
            let path = ["a.jsonnet", "c/Chart.yaml", "c/requirements.yaml"][turn % 3];
            let others =
                ["k.libsonnet", "c/Chart.yaml", "c/charts/db/Chart.yaml"].map(str::to_owned);
            let paths = others.into_iter().chain([path.to_owned()]).collect();
            let shelf = FileIndex::new(paths, [(path.to_owned(), bytes.to_vec())].into());
            let found = Sources::find(&shelf, &Formats::default(), &|_| true);
            let its = found.problems.iter().filter(|problem| problem.place.path == path);
            its.filter_map(|problem| misplaced(&problem.place, bytes)).next()
        },
    );
}
