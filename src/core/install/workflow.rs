//! A workflow of GitHub Actions: check and diff for a pull request, apply once it is merged.
//!
//! It uses no action of others: git clones, and trueup comes from an address with its digest, both of
//! which the repository's variables name. What an event says reaches a script through the environment
//! only.

use super::{Installation, on_one_line, quoted, shell_word};

const CHECKOUT: &str = r#"      - name: Check out
        env:
          TOKEN: ${{ github.token }}
        run: |
          git init --quiet
          git remote add origin "$GITHUB_SERVER_URL/$GITHUB_REPOSITORY"
          auth="AUTHORIZATION: basic $(printf 'x-access-token:%s' "$TOKEN" | base64 --wrap=0)"
          git -c "http.extraHeader=$auth" fetch --quiet origin "$GITHUB_SHA"
          git checkout --quiet "$GITHUB_SHA"
      - name: Install trueup
        env:
          URL: ${{ vars.TRUEUP_URL }}
          SHA256: ${{ vars.TRUEUP_SHA256 }}
        run: |
          mkdir -p "$RUNNER_TEMP/bin"
          curl --fail --silent --show-error --location --output "$RUNNER_TEMP/bin/trueup" "$URL"
          echo "$SHA256  $RUNNER_TEMP/bin/trueup" | sha256sum --check --strict
          chmod +x "$RUNNER_TEMP/bin/trueup"
          echo "$RUNNER_TEMP/bin" >> "$GITHUB_PATH"
"#;

/// Writes a kubeconfig that no other user reads.
const KUBECONFIG: &str = r#"          umask 077
          printf '%s' "$KUBECONFIG_TEXT" > "$RUNNER_TEMP/kubeconfig"
          export KUBECONFIG="$RUNNER_TEMP/kubeconfig"
"#;

/// The workflow.
pub fn workflow(install: &Installation) -> String {
    let choice = install.choice();
    let target: Vec<String> =
        install.target.iter().flat_map(|target| ["--target", target]).map(shell_word).collect();
    let target: String = target.iter().map(|word| format!(" {word}")).collect();
    let choice: String = choice.into_iter().map(|word| format!(" {}", shell_word(word))).collect();
    let title = on_one_line(install.title());
    let mut text = format!("# .github/workflows/{}.yaml: {title}\n", install.name());
    text +=
        "# Variables: TRUEUP_URL and TRUEUP_SHA256, the address of the program and its SHA-256.\n";
    text +=
        "# Secrets: KUBECONFIG_READ for diff (trueup rbac --read-only says which rights), and\n";
    text += "# KUBECONFIG_WRITE in an environment of the target's name for apply.\n";
    text +=
        &format!("name: {}\non:\n  pull_request:\n  push:\n", quoted(&format!("trueup {title}")));
    text += &format!("    branches: [{}]\n", quoted(&install.branch));
    text += "permissions:\n  contents: read\njobs:\n";
    text += "  check:\n    if: github.event_name == 'pull_request'\n";
    text += "    runs-on: ubuntu-latest\n    timeout-minutes: 15\n    steps:\n";
    text += CHECKOUT;
    text += "      - name: Check\n        run: |\n";
    text += &format!("          trueup check{target} --output github\n");
    text += "      - name: Diff\n";
    text += "        # A fork has no secrets.\n";
    text += "        if: github.event.pull_request.head.repo.full_name == github.repository\n";
    text +=
        "        env:\n          KUBECONFIG_TEXT: ${{ secrets.KUBECONFIG_READ }}\n        run: |\n";
    text += KUBECONFIG;
    text += &format!("          trueup diff{choice} --exit-zero --output github\n");
    text += "  apply:\n    if: github.event_name == 'push'\n";
    text += "    runs-on: ubuntu-latest\n    timeout-minutes: 30\n";
    text += &format!("    environment: {}\n", quoted(&title));
    text += "    # One at a time; a run that has begun goes on.\n";
    text += &format!("    concurrency:\n      group: {}\n", quoted(install.name()));
    text += "      cancel-in-progress: false\n    steps:\n";
    text += CHECKOUT;
    text += "      - name: Apply\n        env:\n";
    text += "          KUBECONFIG_TEXT: ${{ secrets.KUBECONFIG_WRITE }}\n        run: |\n";
    text += KUBECONFIG;
    text + &format!("          trueup apply{choice} --yes --wait\n")
}
