#!/usr/bin/env bash
# Gitea's API lists the statuses of a commit in no order that begins with the newest, but for one.
#
# Version: code.gitea.io/gitea v1.26.0 with SQLite.
#
# Behaviour: three statuses are set on a commit within one second, each after the answer to the one
# before: `pending`, `failure`, `success`. GET …/commits/{sha}/statuses lists them with each value of
# `sort` that the API names. `recentupdate` and the default compare whole seconds alone, and
# `highestindex` lists the lowest index first, `leastindex` the highest.
#
# Output:
#   sort          order
#   (none)        pending failure success
#   recentupdate  pending failure success
#   highestindex  pending failure success
#   leastindex    success failure pending
#
# Expected: `success` first with `recentupdate`, whose newest is asked for, and with `highestindex`.
# Whoever takes the first status for the one that counts takes `pending`.
#
# What to do: take the status with the highest `id` of those that have the context.
set -euo pipefail

for program in go cc git curl; do
    command -v $program >/dev/null || {
        echo "$program is missing: install Go 1.26 or later from go.dev/dl, and gcc, git and curl" >&2
        exit 1
    }
done
expected=$(sed -n '/^# Output:/,/^#$/s/^#   //p' "$0")
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill $server; wait; rm -rf "$work"' EXIT
cd "$work"

cat >go.mod <<'END'
module finding

go 1.26.2

tool code.gitea.io/gitea

require code.gitea.io/gitea v1.26.0

replace (
	github.com/Azure/azure-sdk-for-go/sdk/azcore => github.com/Azure/azure-sdk-for-go/sdk/azcore v1.19.0
	github.com/Azure/azure-sdk-for-go/sdk/storage/azblob => github.com/Azure/azure-sdk-for-go/sdk/storage/azblob v1.6.2
	github.com/jaytaylor/html2text => github.com/Necoro/html2text v0.0.0-20250804200300-7bf1ce1c7347
	github.com/microsoft/go-mssqldb => github.com/microsoft/go-mssqldb v1.9.7
	github.com/nektos/act => gitea.com/gitea/act v0.261.10
	github.com/urfave/cli/v3 => github.com/urfave/cli/v3 v3.4.1
	go.yaml.in/yaml/v4 => go.yaml.in/yaml/v4 v4.0.0-rc.3
)
END
export CGO_ENABLED=1 GOWORK=off GOFLAGS='-mod=mod -trimpath -buildvcs=false'
go build -ldflags '-s -w' -tags 'sqlite sqlite_unlock_notify' -o gitea code.gitea.io/gitea \
    2>build.log || { cat build.log >&2; exit 1; }

port=${PORT:-13987}
cat >app.ini <<END
I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true
WORK_PATH = $work
[server]
HTTP_ADDR = 127.0.0.1
HTTP_PORT = $port
ROOT_URL = http://127.0.0.1:$port/
STATIC_ROOT_PATH = $(go list -m -f '{{.Dir}}' code.gitea.io/gitea)
DISABLE_SSH = true
[database]
DB_TYPE = sqlite3
[security]
INSTALL_LOCK = true
[log]
MODE = file
[indexer]
ISSUE_INDEXER_TYPE = db
END
export HOME=$work
./gitea web --config app.ini >web.log 2>&1 &
server=$!
for _ in $(seq 100); do
    curl -sf "http://127.0.0.1:$port/api/healthz" >/dev/null && break
    sleep 0.3
done
./gitea admin user create --config app.ini --username ada --email ada@example.com --random-password \
    --must-change-password=false >user.log
token=$(./gitea admin user generate-access-token --config app.ini --username ada --token-name all \
    --scopes all --raw | tail -n 1)

api() {
    local path=$1
    shift
    curl -sSf -H "Authorization: token $token" -H 'Content-Type: application/json' "$@" \
        "http://127.0.0.1:$port/api/v1/$path"
}
api user/repos -d '{"name": "shop", "auto_init": true, "default_branch": "main"}' >repository.json

# Another commit, where a second ended in between.
for count in $(seq 20); do
    file='{"content": "", "message": "More", "branch": "main"}'
    commit=$(api "repos/ada/shop/contents/$count" -d "$file" |
        sed 's/.*"commit":{[^{]*"sha":"\([0-9a-f]*\)".*/\1/')
    for state in pending failure success; do
        api "repos/ada/shop/statuses/$commit" -d '{"context": "ci", "state": "'$state'"}'
    done >set.json
    [ "$(grep -o '"created_at":"[^"]*","updated_at":"[^"]*"}' set.json | sort -u | wc -l)" != 1 ] || break
done

got=$(
    printf '%-13s %s\n' sort order
    for sort in '' recentupdate highestindex leastindex; do
        states=$(api "repos/ada/shop/commits/$commit/statuses?sort=$sort" |
            grep -o '"status":"[a-z]*"' | cut -d '"' -f 4 | paste -s -d ' ')
        printf '%-13s %s\n' "${sort:-(none)}" "$states"
    done
)
printf '%s\n' "$got"
if [ "$got" != "$expected" ]; then
    echo "changed: this was expected:" >&2
    printf '%s\n' "$expected" >&2
    exit 1
fi
