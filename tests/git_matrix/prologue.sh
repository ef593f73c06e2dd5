# What every case begins with: an upstream, `ours` that was cloned from it, and words for the cases.
# Runs in an empty folder, with nothing of the user's environment.
set -eu
top=$PWD
export HOME="$top/home" GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=Author GIT_AUTHOR_EMAIL=author@example.com
export GIT_COMMITTER_NAME=Author GIT_COMMITTER_EMAIL=author@example.com
mkdir -p home
printf '[init]\n\tdefaultBranch = main\n[advice]\n\tdetachedHead = false\n' >home/.gitconfig

# A ConfigMap of this value, as trueup reads it.
manifest() {
  printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata: {value: "%s"}\n' "$1" "$2"
}
# Commits what is in the author's work tree, and pushes it.
publish() {
  git -C "$top/work" add --all
  git -C "$top/work" commit --quiet --allow-empty --message "${1:-Change}"
  git -C "$top/work" push --quiet --force origin HEAD
}
# One more commit, which `ours` has not. A case that does not call it has it called at its end.
next() {
  is_next=true
  manifest one 2 >"$top/work/one.yaml"
  publish 'Second value'
}
# Has the upstream's branch `release` and this tag be at the author's commit.
release() {
  git -C "$top/work" push --quiet --force origin HEAD:refs/heads/release
  git -C "$top/work" tag "$1"
  git -C "$top/work" push --quiet origin "$1"
}
# Targets that track the branch and the newest tag. Afterwards `ours` has to have both.
track() {
  printf '%s\n' 'targets:' '  prod: {paths: [.], ref: release}' \
    '  shop: {paths: [.], ref: {semver: 1.x, tag-prefix: shop-}}' >"$top/work/trueup.yaml"
  publish Targets
  release shop-v1.0.0
  check='test "$(git rev-parse origin/release)" = "$wanted" && test "$(git rev-parse shop-v1.1.0^0)" = "$wanted"'
}
next_release() {
  next
  release shop-v1.1.0
}
# Where the command runs. What it did is looked at there, or else in `seen`.
within() { place=$1; }
# What has to be so afterwards, besides the commit.
after() { check=$*; }
is_next=false
place=$top/ours
seen=
author=$top/work
check=:

# Made once, and copied for every case.
if [ -d "$TEMPLATE" ]; then
  cp -R "$TEMPLATE/." .
else
  git init --quiet --bare shop.git
  git clone --quiet shop.git work 2>/dev/null
  git -C work remote set-url origin ../shop.git
  git -C work symbolic-ref HEAD refs/heads/main
  manifest one 1 >work/one.yaml
  mkdir -p work/apps
  manifest two 1 >work/apps/two.yaml
  publish 'First value'
fi
clone() { git clone --quiet "$@" "file://$top/shop.git" "$top/ours"; }
