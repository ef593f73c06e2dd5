
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'trueup' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'trueup'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'trueup' {
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'A folder in the checkout')
            [CompletionResult]::new('--directory', '--directory', [CompletionResultType]::ParameterName, 'A folder in the checkout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour the output: auto (on a terminal, unless NO_COLOR is set), always or never')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help: -h the common options on one screen, --help all of them')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help: -h the common options on one screen, --help all of them')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print the version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print the version')
            [CompletionResult]::new('pull', 'pull', [CompletionResultType]::ParameterValue, 'Fetch the remote''s new commits and fast-forward the checkout')
            [CompletionResult]::new('diff', 'diff', [CompletionResultType]::ParameterValue, 'Show what apply would change')
            [CompletionResult]::new('apply', 'apply', [CompletionResultType]::ParameterValue, 'Make the cluster true to the commit, and prune')
            [CompletionResult]::new('watch', 'watch', [CompletionResultType]::ParameterValue, 'Pull and apply, again and again')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Check manifests without a cluster')
            [CompletionResult]::new('render', 'render', [CompletionResultType]::ParameterValue, 'Print the objects as git says them')
            [CompletionResult]::new('sandbox', 'sandbox', [CompletionResultType]::ParameterValue, 'Run a throwaway Kubernetes control plane on this machine')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print the completion script of a shell')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Explain a command or a topic')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Write the man pages into the folders man1 and man7 of DIR')
            break
        }
        'trueup;pull' {
            [CompletionResult]::new('--url', '--url', [CompletionResultType]::ParameterName, 'Clone from here if there is no checkout yet, and refuse a checkout of anything else')
            [CompletionResult]::new('--branch', '--branch', [CompletionResultType]::ParameterName, 'The branch to check out when cloning, and the one that must be checked out')
            [CompletionResult]::new('--pull-timeout', '--pull-timeout', [CompletionResultType]::ParameterName, 'How long the remote may be silent: 90s, 5m')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to print what was done')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to print what was done')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'A folder in the checkout')
            [CompletionResult]::new('--directory', '--directory', [CompletionResultType]::ParameterName, 'A folder in the checkout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour the output: auto (on a terminal, unless NO_COLOR is set), always or never')
            [CompletionResult]::new('--bare', '--bare', [CompletionResultType]::ParameterName, 'Clone without a work tree')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help: -h the common options on one screen, --help all of them')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help: -h the common options on one screen, --help all of them')
            break
        }
        'trueup;diff' {
            [CompletionResult]::new('--plan', '--plan', [CompletionResultType]::ParameterName, 'Show the plan file that `trueup diff --out FILE` made')
            [CompletionResult]::new('--out', '--out', [CompletionResultType]::ParameterName, 'Write the plan too, for `trueup apply --plan FILE`')
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'The target of trueup.yaml to use')
            [CompletionResult]::new('--target', '--target', [CompletionResultType]::ParameterName, 'The target of trueup.yaml to use')
            [CompletionResult]::new('--rev', '--rev', [CompletionResultType]::ParameterName, 'The commit, branch or tag to read [default: HEAD]')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Namespace of objects that name none, and of the inventory')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Namespace of objects that name none, and of the inventory')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Name of the inventory [default: from the checkout''s folder and PATH]')
            [CompletionResult]::new('--allow-delete', '--allow-delete', [CompletionResultType]::ParameterName, 'Kind to delete though its data is lost (repeatable)')
            [CompletionResult]::new('--replace', '--replace', [CompletionResultType]::ParameterName, 'Kind to recreate on immutable fields (repeatable)')
            [CompletionResult]::new('--max-prune', '--max-prune', [CompletionResultType]::ParameterName, 'How much may be deleted at once: so many objects, or a share of the inventory such as 60% [default: 50%, once it has ten objects]')
            [CompletionResult]::new('--on-conflict', '--on-conflict', [CompletionResultType]::ParameterName, 'What to do about a field that another manager set otherwise: take it, refuse the object, or leave it [default: force]')
            [CompletionResult]::new('--strict', '--strict', [CompletionResultType]::ParameterName, 'Refuse the whole commit where one of its documents can''t be used')
            [CompletionResult]::new('--verify', '--verify', [CompletionResultType]::ParameterName, 'Ask the API server about every object, not only about those that may differ')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'The kubeconfig file [default: KUBECONFIG, then ~/.kube/config]')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'The kubeconfig''s context to use')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'User to act as')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Group to act as a member of (repeatable)')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'How long to wait for the API server to answer a request: 30s, 2m; a plain number counts seconds, and 0 waits for ever [default: 1m]')
            [CompletionResult]::new('--concurrency', '--concurrency', [CompletionResultType]::ParameterName, 'How many requests may be in flight at once')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to print the answer')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to print the answer')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'A folder in the checkout')
            [CompletionResult]::new('--directory', '--directory', [CompletionResultType]::ParameterName, 'A folder in the checkout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour the output: auto (on a terminal, unless NO_COLOR is set), always or never')
            [CompletionResult]::new('--all-fields', '--all-fields', [CompletionResultType]::ParameterName, 'Show what others set beside what git declares, too')
            [CompletionResult]::new('--worktree', '--worktree', [CompletionResultType]::ParameterName, 'Use the files of the work tree, committed or not')
            [CompletionResult]::new('--moved', '--moved', [CompletionResultType]::ParameterName, 'The target''s paths changed: go on with its inventory')
            [CompletionResult]::new('--allow-empty', '--allow-empty', [CompletionResultType]::ParameterName, 'Delete everything if the commit declares nothing')
            [CompletionResult]::new('--adopt', '--adopt', [CompletionResultType]::ParameterName, 'Adopt objects that Helm, Flux, Argo CD, kapp or another ApplySet claims')
            [CompletionResult]::new('--sandbox', '--sandbox', [CompletionResultType]::ParameterName, 'Use a fresh throwaway cluster of this machine')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Do not give the text to a pager, on a terminal either')
            [CompletionResult]::new('--exit-zero', '--exit-zero', [CompletionResultType]::ParameterName, 'Exit 0 where there are differences, too')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help: -h the common options on one screen, --help all of them')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help: -h the common options on one screen, --help all of them')
            break
        }
        'trueup;apply' {
            [CompletionResult]::new('--plan', '--plan', [CompletionResultType]::ParameterName, 'Carry out the plan that `trueup diff --out FILE` made')
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'The target of trueup.yaml to use')
            [CompletionResult]::new('--target', '--target', [CompletionResultType]::ParameterName, 'The target of trueup.yaml to use')
            [CompletionResult]::new('--rev', '--rev', [CompletionResultType]::ParameterName, 'The commit, branch or tag to read [default: HEAD]')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Namespace of objects that name none, and of the inventory')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Namespace of objects that name none, and of the inventory')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Name of the inventory [default: from the checkout''s folder and PATH]')
            [CompletionResult]::new('--allow-delete', '--allow-delete', [CompletionResultType]::ParameterName, 'Kind to delete though its data is lost (repeatable)')
            [CompletionResult]::new('--replace', '--replace', [CompletionResultType]::ParameterName, 'Kind to recreate on immutable fields (repeatable)')
            [CompletionResult]::new('--max-prune', '--max-prune', [CompletionResultType]::ParameterName, 'How much may be deleted at once: so many objects, or a share of the inventory such as 60% [default: 50%, once it has ten objects]')
            [CompletionResult]::new('--on-conflict', '--on-conflict', [CompletionResultType]::ParameterName, 'What to do about a field that another manager set otherwise: take it, refuse the object, or leave it [default: force]')
            [CompletionResult]::new('--strict', '--strict', [CompletionResultType]::ParameterName, 'Refuse the whole commit where one of its documents can''t be used')
            [CompletionResult]::new('--verify', '--verify', [CompletionResultType]::ParameterName, 'Ask the API server about every object, not only about those that may differ')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'The kubeconfig file [default: KUBECONFIG, then ~/.kube/config]')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'The kubeconfig''s context to use')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'User to act as')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Group to act as a member of (repeatable)')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'How long to wait for the API server to answer a request: 30s, 2m; a plain number counts seconds, and 0 waits for ever [default: 1m]')
            [CompletionResult]::new('--concurrency', '--concurrency', [CompletionResultType]::ParameterName, 'How many requests may be in flight at once')
            [CompletionResult]::new('--cascade', '--cascade', [CompletionResultType]::ParameterName, 'How objects are deleted that own others, such as a Deployment its pods [default: background]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long to wait for that: 90s, 5m, 1h30m [default: 5m]')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long to wait for another run on the same inventory: 90s, 5m; a plain number counts seconds; 0 not to wait')
            [CompletionResult]::new('--on-failure', '--on-failure', [CompletionResultType]::ParameterName, 'What to do where something could not be changed, or does not get healthy [default: stop]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to print the answer')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to print the answer')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'A folder in the checkout')
            [CompletionResult]::new('--directory', '--directory', [CompletionResultType]::ParameterName, 'A folder in the checkout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour the output: auto (on a terminal, unless NO_COLOR is set), always or never')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Apply without asking; without a terminal it never asks')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Apply without asking; without a terminal it never asks')
            [CompletionResult]::new('--worktree', '--worktree', [CompletionResultType]::ParameterName, 'Use the files of the work tree, committed or not')
            [CompletionResult]::new('--moved', '--moved', [CompletionResultType]::ParameterName, 'The target''s paths changed: go on with its inventory')
            [CompletionResult]::new('--allow-empty', '--allow-empty', [CompletionResultType]::ParameterName, 'Delete everything if the commit declares nothing')
            [CompletionResult]::new('--adopt', '--adopt', [CompletionResultType]::ParameterName, 'Adopt objects that Helm, Flux, Argo CD, kapp or another ApplySet claims')
            [CompletionResult]::new('--sandbox', '--sandbox', [CompletionResultType]::ParameterName, 'Use a fresh throwaway cluster of this machine')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Wait until all is healthy; exit 1 if not in time')
            [CompletionResult]::new('--no-wait', '--no-wait', [CompletionResultType]::ParameterName, 'Do not wait')
            [CompletionResult]::new('--exit-zero', '--exit-zero', [CompletionResultType]::ParameterName, 'Exit 0 where the cluster is not at the commit, too')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help: -h the common options on one screen, --help all of them')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help: -h the common options on one screen, --help all of them')
            break
        }
        'trueup;watch' {
            [CompletionResult]::new('--interval', '--interval', [CompletionResultType]::ParameterName, 'Time between rounds: 90s, 5m')
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'The target of trueup.yaml to use')
            [CompletionResult]::new('--target', '--target', [CompletionResultType]::ParameterName, 'The target of trueup.yaml to use')
            [CompletionResult]::new('--rev', '--rev', [CompletionResultType]::ParameterName, 'The commit, branch or tag to read [default: HEAD]')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Namespace of objects that name none, and of the inventory')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Namespace of objects that name none, and of the inventory')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Name of the inventory [default: from the checkout''s folder and PATH]')
            [CompletionResult]::new('--allow-delete', '--allow-delete', [CompletionResultType]::ParameterName, 'Kind to delete though its data is lost (repeatable)')
            [CompletionResult]::new('--replace', '--replace', [CompletionResultType]::ParameterName, 'Kind to recreate on immutable fields (repeatable)')
            [CompletionResult]::new('--max-prune', '--max-prune', [CompletionResultType]::ParameterName, 'How much may be deleted at once: so many objects, or a share of the inventory such as 60% [default: 50%, once it has ten objects]')
            [CompletionResult]::new('--on-conflict', '--on-conflict', [CompletionResultType]::ParameterName, 'What to do about a field that another manager set otherwise: take it, refuse the object, or leave it [default: force]')
            [CompletionResult]::new('--strict', '--strict', [CompletionResultType]::ParameterName, 'Refuse the whole commit where one of its documents can''t be used')
            [CompletionResult]::new('--verify', '--verify', [CompletionResultType]::ParameterName, 'Ask the API server about every object, not only about those that may differ')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'The kubeconfig file [default: KUBECONFIG, then ~/.kube/config]')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'The kubeconfig''s context to use')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'User to act as')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Group to act as a member of (repeatable)')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'How long to wait for the API server to answer a request: 30s, 2m; a plain number counts seconds, and 0 waits for ever [default: 1m]')
            [CompletionResult]::new('--concurrency', '--concurrency', [CompletionResultType]::ParameterName, 'How many requests may be in flight at once')
            [CompletionResult]::new('--cascade', '--cascade', [CompletionResultType]::ParameterName, 'How objects are deleted that own others, such as a Deployment its pods [default: background]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long a round waits for that: 90s, 5m [default: 5m]')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long to wait for another run on the same inventory: 90s, 5m; a plain number counts seconds; 0 not to wait')
            [CompletionResult]::new('--on-failure', '--on-failure', [CompletionResultType]::ParameterName, 'What to do where something could not be changed, or does not get healthy [default: stop]')
            [CompletionResult]::new('--pull-timeout', '--pull-timeout', [CompletionResultType]::ParameterName, 'How long the remote may be silent: 90s, 5m; a plain number counts seconds')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'A folder in the checkout')
            [CompletionResult]::new('--directory', '--directory', [CompletionResultType]::ParameterName, 'A folder in the checkout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour the output: auto (on a terminal, unless NO_COLOR is set), always or never')
            [CompletionResult]::new('--no-pull', '--no-pull', [CompletionResultType]::ParameterName, 'Do not fetch; watch the checkout as others update it')
            [CompletionResult]::new('--once', '--once', [CompletionResultType]::ParameterName, 'Run one round and end with its result')
            [CompletionResult]::new('--worktree', '--worktree', [CompletionResultType]::ParameterName, 'Use the files of the work tree, committed or not')
            [CompletionResult]::new('--moved', '--moved', [CompletionResultType]::ParameterName, 'The target''s paths changed: go on with its inventory')
            [CompletionResult]::new('--allow-empty', '--allow-empty', [CompletionResultType]::ParameterName, 'Delete everything if the commit declares nothing')
            [CompletionResult]::new('--adopt', '--adopt', [CompletionResultType]::ParameterName, 'Adopt objects that Helm, Flux, Argo CD, kapp or another ApplySet claims')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Wait until all is healthy; exit 1 if not in time')
            [CompletionResult]::new('--no-wait', '--no-wait', [CompletionResultType]::ParameterName, 'Do not wait')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help: -h the common options on one screen, --help all of them')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help: -h the common options on one screen, --help all of them')
            break
        }
        'trueup;check' {
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'The target of trueup.yaml to use')
            [CompletionResult]::new('--target', '--target', [CompletionResultType]::ParameterName, 'The target of trueup.yaml to use')
            [CompletionResult]::new('--rev', '--rev', [CompletionResultType]::ParameterName, 'The commit, branch or tag to read [default: HEAD]')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Namespace of objects that name none, and of the inventory')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Namespace of objects that name none, and of the inventory')
            [CompletionResult]::new('--kubernetes-version', '--kubernetes-version', [CompletionResultType]::ParameterName, 'Release whose schemas to use [default: the newest]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to print what is found')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to print what is found')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'A folder in the checkout')
            [CompletionResult]::new('--directory', '--directory', [CompletionResultType]::ParameterName, 'A folder in the checkout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour the output: auto (on a terminal, unless NO_COLOR is set), always or never')
            [CompletionResult]::new('--worktree', '--worktree', [CompletionResultType]::ParameterName, 'Use the files of the work tree, committed or not')
            [CompletionResult]::new('--sandbox', '--sandbox', [CompletionResultType]::ParameterName, 'Ask a throwaway API server about every object as well')
            [CompletionResult]::new('-W', '-W ', [CompletionResultType]::ParameterName, 'Exit 1 where there are only warnings, too')
            [CompletionResult]::new('--warnings-as-errors', '--warnings-as-errors', [CompletionResultType]::ParameterName, 'Exit 1 where there are only warnings, too')
            [CompletionResult]::new('--exit-zero', '--exit-zero', [CompletionResultType]::ParameterName, 'Exit 0 where there are errors, too')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help: -h the common options on one screen, --help all of them')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help: -h the common options on one screen, --help all of them')
            break
        }
        'trueup;render' {
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'The target of trueup.yaml to use')
            [CompletionResult]::new('--target', '--target', [CompletionResultType]::ParameterName, 'The target of trueup.yaml to use')
            [CompletionResult]::new('--rev', '--rev', [CompletionResultType]::ParameterName, 'The commit, branch or tag to read [default: HEAD]')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Namespace of objects that name none, and of the inventory')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Namespace of objects that name none, and of the inventory')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to print the objects')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to print the objects')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'A folder in the checkout')
            [CompletionResult]::new('--directory', '--directory', [CompletionResultType]::ParameterName, 'A folder in the checkout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour the output: auto (on a terminal, unless NO_COLOR is set), always or never')
            [CompletionResult]::new('--worktree', '--worktree', [CompletionResultType]::ParameterName, 'Use the files of the work tree, committed or not')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what confines the programs that render')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what confines the programs that render')
            [CompletionResult]::new('--show-secrets', '--show-secrets', [CompletionResultType]::ParameterName, 'Print the values of Secrets as they are')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help: -h the common options on one screen, --help all of them')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help: -h the common options on one screen, --help all of them')
            break
        }
        'trueup;sandbox' {
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'A folder in the checkout')
            [CompletionResult]::new('--directory', '--directory', [CompletionResultType]::ParameterName, 'A folder in the checkout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour the output: auto (on a terminal, unless NO_COLOR is set), always or never')
            [CompletionResult]::new('--controllers', '--controllers', [CompletionResultType]::ParameterName, 'Add the controllers, the scheduler and simulated nodes, so that Deployments roll out, Jobs finish, namespaces go away and owned objects are collected')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help: -h the common options on one screen, --help all of them')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help: -h the common options on one screen, --help all of them')
            break
        }
        'trueup;completions' {
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'A folder in the checkout')
            [CompletionResult]::new('--directory', '--directory', [CompletionResultType]::ParameterName, 'A folder in the checkout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour the output: auto (on a terminal, unless NO_COLOR is set), always or never')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help: -h the common options on one screen, --help all of them')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help: -h the common options on one screen, --help all of them')
            break
        }
        'trueup;help' {
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'A folder in the checkout')
            [CompletionResult]::new('--directory', '--directory', [CompletionResultType]::ParameterName, 'A folder in the checkout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour the output: auto (on a terminal, unless NO_COLOR is set), always or never')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help: -h the common options on one screen, --help all of them')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help: -h the common options on one screen, --help all of them')
            break
        }
        'trueup;man' {
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'A folder in the checkout')
            [CompletionResult]::new('--directory', '--directory', [CompletionResultType]::ParameterName, 'A folder in the checkout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour the output: auto (on a terminal, unless NO_COLOR is set), always or never')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help: -h the common options on one screen, --help all of them')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help: -h the common options on one screen, --help all of them')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
