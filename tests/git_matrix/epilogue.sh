# How every case ends: what is asked for is run, and then what there is is written down.
if ! "$is_next"; then next; fi
seen=${seen:-$place}
cd "$place"
status=0
eval "$RUN" >"$top/stdout" 2>"$top/stderr" </dev/null || status=$?
echo "$status" >"$top/status"
read=0
eval "$READ" >"$top/read-stdout" 2>"$top/read-stderr" </dev/null || read=$?
echo "$read" >"$top/read"
# Seen without whatever the case has set.
env -i PATH="$PATH" HOME="$top/home" GIT_CONFIG_NOSYSTEM=1 place="$seen" author="$author" \
  top="$top" check="$check" sh -c '
  cd "$place"
  wanted=$(git -C "$author" rev-parse HEAD)
  if [ "$(git rev-parse HEAD 2>/dev/null)" = "$wanted" ] && eval "$check"; then echo lands; else echo stays; fi
  git status --porcelain 2>/dev/null
  [ -e .git ] || exit 0
  find . -path ./.git -prune -o -type f -exec cksum {} + | sort
' >"$top/state" 2>/dev/null || true
