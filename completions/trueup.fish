# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_trueup_global_optspecs
    string join \n C/directory= color= h/help V/version
end

function __fish_trueup_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_trueup_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_trueup_using_subcommand
    set -l cmd (__fish_trueup_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c trueup -n "__fish_trueup_needs_command" -s C -l directory -d 'A folder in the checkout' -r -F
complete -c trueup -n "__fish_trueup_needs_command" -l color -d 'When to colour the output: auto (on a terminal, unless NO_COLOR is set), always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c trueup -n "__fish_trueup_needs_command" -s h -l help -d 'Print help: -h the common options on one screen, --help all of them'
complete -c trueup -n "__fish_trueup_needs_command" -s V -l version -d 'Print the version'
complete -c trueup -n "__fish_trueup_needs_command" -f -a "pull" -d 'Fetch the remote\'s new commits and fast-forward the checkout'
complete -c trueup -n "__fish_trueup_needs_command" -f -a "diff" -d 'Show what apply would change'
complete -c trueup -n "__fish_trueup_needs_command" -f -a "apply" -d 'Make the cluster true to the commit, and prune'
complete -c trueup -n "__fish_trueup_needs_command" -f -a "watch" -d 'Pull and apply, again and again'
complete -c trueup -n "__fish_trueup_needs_command" -f -a "check" -d 'Check manifests without a cluster'
complete -c trueup -n "__fish_trueup_needs_command" -f -a "render" -d 'Print the objects as git says them'
complete -c trueup -n "__fish_trueup_needs_command" -f -a "sandbox" -d 'Run a throwaway Kubernetes control plane on this machine'
complete -c trueup -n "__fish_trueup_needs_command" -f -a "completions" -d 'Print the completion script of a shell'
complete -c trueup -n "__fish_trueup_needs_command" -f -a "help" -d 'Explain a command or a topic'
complete -c trueup -n "__fish_trueup_needs_command" -f -a "man" -d 'Write the man pages into the folders man1 and man7 of DIR'
complete -c trueup -n "__fish_trueup_using_subcommand pull" -l url -d 'Clone from here if there is no checkout yet, and refuse a checkout of anything else' -r
complete -c trueup -n "__fish_trueup_using_subcommand pull" -l branch -d 'The branch to check out when cloning, and the one that must be checked out' -r
complete -c trueup -n "__fish_trueup_using_subcommand pull" -l pull-timeout -d 'How long the remote may be silent: 90s, 5m' -r
complete -c trueup -n "__fish_trueup_using_subcommand pull" -s o -l output -d 'How to print what was done' -r -f -a "text\t'One line'
json\t'One JSON object'"
complete -c trueup -n "__fish_trueup_using_subcommand pull" -s C -l directory -d 'A folder in the checkout' -r -F
complete -c trueup -n "__fish_trueup_using_subcommand pull" -l color -d 'When to colour the output: auto (on a terminal, unless NO_COLOR is set), always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c trueup -n "__fish_trueup_using_subcommand pull" -l bare -d 'Clone without a work tree'
complete -c trueup -n "__fish_trueup_using_subcommand pull" -s h -l help -d 'Print help: -h the common options on one screen, --help all of them'
complete -c trueup -n "__fish_trueup_using_subcommand diff" -l plan -d 'Show the plan file that `trueup diff --out FILE` made' -r -F
complete -c trueup -n "__fish_trueup_using_subcommand diff" -l out -d 'Write the plan too, for `trueup apply --plan FILE`' -r -F
complete -c trueup -n "__fish_trueup_using_subcommand diff" -s t -l target -d 'The target of trueup.yaml to use' -r
complete -c trueup -n "__fish_trueup_using_subcommand diff" -l rev -d 'The commit, branch or tag to read [default: HEAD]' -r
complete -c trueup -n "__fish_trueup_using_subcommand diff" -s n -l namespace -d 'Namespace of objects that name none, and of the inventory' -r
complete -c trueup -n "__fish_trueup_using_subcommand diff" -l name -d 'Name of the inventory [default: from the checkout\'s folder and PATH]' -r
complete -c trueup -n "__fish_trueup_using_subcommand diff" -l allow-delete -d 'Kind to delete though its data is lost (repeatable)' -r
complete -c trueup -n "__fish_trueup_using_subcommand diff" -l replace -d 'Kind to recreate on immutable fields (repeatable)' -r
complete -c trueup -n "__fish_trueup_using_subcommand diff" -l max-prune -d 'How much may be deleted at once: so many objects, or a share of the inventory such as 60% [default: 50%, once it has ten objects]' -r
complete -c trueup -n "__fish_trueup_using_subcommand diff" -l on-conflict -d 'What to do about a field that another manager set otherwise: take it, refuse the object, or leave it [default: force]' -r -f -a "force\t''
fail\t''
yield\t''"
complete -c trueup -n "__fish_trueup_using_subcommand diff" -l strict -d 'Refuse the whole commit where one of its documents can\'t be used' -r -f -a "true\t''
false\t''"
complete -c trueup -n "__fish_trueup_using_subcommand diff" -l verify -d 'Ask the API server about every object, not only about those that may differ' -r -f -a "true\t''
false\t''"
complete -c trueup -n "__fish_trueup_using_subcommand diff" -l kubeconfig -d 'The kubeconfig file [default: KUBECONFIG, then ~/.kube/config]' -r -F
complete -c trueup -n "__fish_trueup_using_subcommand diff" -l context -d 'The kubeconfig\'s context to use' -r
complete -c trueup -n "__fish_trueup_using_subcommand diff" -l as -d 'User to act as' -r
complete -c trueup -n "__fish_trueup_using_subcommand diff" -l as-group -d 'Group to act as a member of (repeatable)' -r
complete -c trueup -n "__fish_trueup_using_subcommand diff" -l request-timeout -d 'How long to wait for the API server to answer a request: 30s, 2m; a plain number counts seconds, and 0 waits for ever [default: 1m]' -r
complete -c trueup -n "__fish_trueup_using_subcommand diff" -l concurrency -d 'How many requests may be in flight at once' -r
complete -c trueup -n "__fish_trueup_using_subcommand diff" -s o -l output -d 'How to print the answer' -r -f -a "text\t'For people'
json\t'One JSON document, with the keys of `trueup help json`'
markdown\t'For a comment on a pull request'
github\t'Annotations of a GitHub workflow'
name\t'A line for each object that is not kept: the action, and arguments for kubectl'"
complete -c trueup -n "__fish_trueup_using_subcommand diff" -s C -l directory -d 'A folder in the checkout' -r -F
complete -c trueup -n "__fish_trueup_using_subcommand diff" -l color -d 'When to colour the output: auto (on a terminal, unless NO_COLOR is set), always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c trueup -n "__fish_trueup_using_subcommand diff" -l all-fields -d 'Show what others set beside what git declares, too'
complete -c trueup -n "__fish_trueup_using_subcommand diff" -l worktree -d 'Use the files of the work tree, committed or not'
complete -c trueup -n "__fish_trueup_using_subcommand diff" -l moved -d 'The target\'s paths changed: go on with its inventory'
complete -c trueup -n "__fish_trueup_using_subcommand diff" -l allow-empty -d 'Delete everything if the commit declares nothing'
complete -c trueup -n "__fish_trueup_using_subcommand diff" -l adopt -d 'Adopt objects that Helm, Flux, Argo CD, kapp or another ApplySet claims'
complete -c trueup -n "__fish_trueup_using_subcommand diff" -l sandbox -d 'Use a fresh throwaway cluster of this machine'
complete -c trueup -n "__fish_trueup_using_subcommand diff" -l no-pager -d 'Do not give the text to a pager, on a terminal either'
complete -c trueup -n "__fish_trueup_using_subcommand diff" -l exit-zero -d 'Exit 0 where there are differences, too'
complete -c trueup -n "__fish_trueup_using_subcommand diff" -s h -l help -d 'Print help: -h the common options on one screen, --help all of them'
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l plan -d 'Carry out the plan that `trueup diff --out FILE` made' -r -F
complete -c trueup -n "__fish_trueup_using_subcommand apply" -s t -l target -d 'The target of trueup.yaml to use' -r
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l rev -d 'The commit, branch or tag to read [default: HEAD]' -r
complete -c trueup -n "__fish_trueup_using_subcommand apply" -s n -l namespace -d 'Namespace of objects that name none, and of the inventory' -r
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l name -d 'Name of the inventory [default: from the checkout\'s folder and PATH]' -r
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l allow-delete -d 'Kind to delete though its data is lost (repeatable)' -r
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l replace -d 'Kind to recreate on immutable fields (repeatable)' -r
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l max-prune -d 'How much may be deleted at once: so many objects, or a share of the inventory such as 60% [default: 50%, once it has ten objects]' -r
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l on-conflict -d 'What to do about a field that another manager set otherwise: take it, refuse the object, or leave it [default: force]' -r -f -a "force\t''
fail\t''
yield\t''"
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l strict -d 'Refuse the whole commit where one of its documents can\'t be used' -r -f -a "true\t''
false\t''"
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l verify -d 'Ask the API server about every object, not only about those that may differ' -r -f -a "true\t''
false\t''"
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l kubeconfig -d 'The kubeconfig file [default: KUBECONFIG, then ~/.kube/config]' -r -F
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l context -d 'The kubeconfig\'s context to use' -r
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l as -d 'User to act as' -r
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l as-group -d 'Group to act as a member of (repeatable)' -r
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l request-timeout -d 'How long to wait for the API server to answer a request: 30s, 2m; a plain number counts seconds, and 0 waits for ever [default: 1m]' -r
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l concurrency -d 'How many requests may be in flight at once' -r
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l cascade -d 'How objects are deleted that own others, such as a Deployment its pods [default: background]' -r -f -a "background\t'They go after it'
foreground\t'They go before it: it is gone once they are'
orphan\t'They stay'"
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l timeout -d 'How long to wait for that: 90s, 5m, 1h30m [default: 5m]' -r
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l lock-timeout -d 'How long to wait for another run on the same inventory: 90s, 5m; a plain number counts seconds; 0 not to wait' -r
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l on-failure -d 'What to do where something could not be changed, or does not get healthy [default: stop]' -r -f -a "stop\t'Leave everything as it is'
rollback\t'Apply the last commit that was healthy, all of it'"
complete -c trueup -n "__fish_trueup_using_subcommand apply" -s o -l output -d 'How to print the answer' -r -f -a "text\t'For people'
json\t'One JSON document, with the keys of `trueup help json`'
markdown\t'For a comment on a pull request'
github\t'Annotations of a GitHub workflow'
name\t'A line for each object that is not kept: the action, and arguments for kubectl'"
complete -c trueup -n "__fish_trueup_using_subcommand apply" -s C -l directory -d 'A folder in the checkout' -r -F
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l color -d 'When to colour the output: auto (on a terminal, unless NO_COLOR is set), always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c trueup -n "__fish_trueup_using_subcommand apply" -s y -l yes -d 'Apply without asking; without a terminal it never asks'
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l worktree -d 'Use the files of the work tree, committed or not'
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l moved -d 'The target\'s paths changed: go on with its inventory'
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l allow-empty -d 'Delete everything if the commit declares nothing'
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l adopt -d 'Adopt objects that Helm, Flux, Argo CD, kapp or another ApplySet claims'
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l sandbox -d 'Use a fresh throwaway cluster of this machine'
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l wait -d 'Wait until all is healthy; exit 1 if not in time'
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l no-wait -d 'Do not wait'
complete -c trueup -n "__fish_trueup_using_subcommand apply" -l exit-zero -d 'Exit 0 where the cluster is not at the commit, too'
complete -c trueup -n "__fish_trueup_using_subcommand apply" -s h -l help -d 'Print help: -h the common options on one screen, --help all of them'
complete -c trueup -n "__fish_trueup_using_subcommand watch" -l interval -d 'Time between rounds: 90s, 5m' -r
complete -c trueup -n "__fish_trueup_using_subcommand watch" -s t -l target -d 'The target of trueup.yaml to use' -r
complete -c trueup -n "__fish_trueup_using_subcommand watch" -l rev -d 'The commit, branch or tag to read [default: HEAD]' -r
complete -c trueup -n "__fish_trueup_using_subcommand watch" -s n -l namespace -d 'Namespace of objects that name none, and of the inventory' -r
complete -c trueup -n "__fish_trueup_using_subcommand watch" -l name -d 'Name of the inventory [default: from the checkout\'s folder and PATH]' -r
complete -c trueup -n "__fish_trueup_using_subcommand watch" -l allow-delete -d 'Kind to delete though its data is lost (repeatable)' -r
complete -c trueup -n "__fish_trueup_using_subcommand watch" -l replace -d 'Kind to recreate on immutable fields (repeatable)' -r
complete -c trueup -n "__fish_trueup_using_subcommand watch" -l max-prune -d 'How much may be deleted at once: so many objects, or a share of the inventory such as 60% [default: 50%, once it has ten objects]' -r
complete -c trueup -n "__fish_trueup_using_subcommand watch" -l on-conflict -d 'What to do about a field that another manager set otherwise: take it, refuse the object, or leave it [default: force]' -r -f -a "force\t''
fail\t''
yield\t''"
complete -c trueup -n "__fish_trueup_using_subcommand watch" -l strict -d 'Refuse the whole commit where one of its documents can\'t be used' -r -f -a "true\t''
false\t''"
complete -c trueup -n "__fish_trueup_using_subcommand watch" -l verify -d 'Ask the API server about every object, not only about those that may differ' -r -f -a "true\t''
false\t''"
complete -c trueup -n "__fish_trueup_using_subcommand watch" -l kubeconfig -d 'The kubeconfig file [default: KUBECONFIG, then ~/.kube/config]' -r -F
complete -c trueup -n "__fish_trueup_using_subcommand watch" -l context -d 'The kubeconfig\'s context to use' -r
complete -c trueup -n "__fish_trueup_using_subcommand watch" -l as -d 'User to act as' -r
complete -c trueup -n "__fish_trueup_using_subcommand watch" -l as-group -d 'Group to act as a member of (repeatable)' -r
complete -c trueup -n "__fish_trueup_using_subcommand watch" -l request-timeout -d 'How long to wait for the API server to answer a request: 30s, 2m; a plain number counts seconds, and 0 waits for ever [default: 1m]' -r
complete -c trueup -n "__fish_trueup_using_subcommand watch" -l concurrency -d 'How many requests may be in flight at once' -r
complete -c trueup -n "__fish_trueup_using_subcommand watch" -l cascade -d 'How objects are deleted that own others, such as a Deployment its pods [default: background]' -r -f -a "background\t'They go after it'
foreground\t'They go before it: it is gone once they are'
orphan\t'They stay'"
complete -c trueup -n "__fish_trueup_using_subcommand watch" -l timeout -d 'How long a round waits for that: 90s, 5m [default: 5m]' -r
complete -c trueup -n "__fish_trueup_using_subcommand watch" -l lock-timeout -d 'How long to wait for another run on the same inventory: 90s, 5m; a plain number counts seconds; 0 not to wait' -r
complete -c trueup -n "__fish_trueup_using_subcommand watch" -l on-failure -d 'What to do where something could not be changed, or does not get healthy [default: stop]' -r -f -a "stop\t'Leave everything as it is'
rollback\t'Apply the last commit that was healthy, all of it'"
complete -c trueup -n "__fish_trueup_using_subcommand watch" -l pull-timeout -d 'How long the remote may be silent: 90s, 5m; a plain number counts seconds' -r
complete -c trueup -n "__fish_trueup_using_subcommand watch" -s C -l directory -d 'A folder in the checkout' -r -F
complete -c trueup -n "__fish_trueup_using_subcommand watch" -l color -d 'When to colour the output: auto (on a terminal, unless NO_COLOR is set), always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c trueup -n "__fish_trueup_using_subcommand watch" -l no-pull -d 'Do not fetch; watch the checkout as others update it'
complete -c trueup -n "__fish_trueup_using_subcommand watch" -l once -d 'Run one round and end with its result'
complete -c trueup -n "__fish_trueup_using_subcommand watch" -l worktree -d 'Use the files of the work tree, committed or not'
complete -c trueup -n "__fish_trueup_using_subcommand watch" -l moved -d 'The target\'s paths changed: go on with its inventory'
complete -c trueup -n "__fish_trueup_using_subcommand watch" -l allow-empty -d 'Delete everything if the commit declares nothing'
complete -c trueup -n "__fish_trueup_using_subcommand watch" -l adopt -d 'Adopt objects that Helm, Flux, Argo CD, kapp or another ApplySet claims'
complete -c trueup -n "__fish_trueup_using_subcommand watch" -l wait -d 'Wait until all is healthy; exit 1 if not in time'
complete -c trueup -n "__fish_trueup_using_subcommand watch" -l no-wait -d 'Do not wait'
complete -c trueup -n "__fish_trueup_using_subcommand watch" -s h -l help -d 'Print help: -h the common options on one screen, --help all of them'
complete -c trueup -n "__fish_trueup_using_subcommand check" -s t -l target -d 'The target of trueup.yaml to use' -r
complete -c trueup -n "__fish_trueup_using_subcommand check" -l rev -d 'The commit, branch or tag to read [default: HEAD]' -r
complete -c trueup -n "__fish_trueup_using_subcommand check" -s n -l namespace -d 'Namespace of objects that name none, and of the inventory' -r
complete -c trueup -n "__fish_trueup_using_subcommand check" -l kubernetes-version -d 'Release whose schemas to use [default: the newest]' -r
complete -c trueup -n "__fish_trueup_using_subcommand check" -s o -l output -d 'How to print what is found' -r -f -a "text\t'For people: a line for each'
json\t'One JSON document'
github\t'Annotations of a GitHub workflow'
sarif\t'A SARIF 2.1.0 log, for code scanning'"
complete -c trueup -n "__fish_trueup_using_subcommand check" -s C -l directory -d 'A folder in the checkout' -r -F
complete -c trueup -n "__fish_trueup_using_subcommand check" -l color -d 'When to colour the output: auto (on a terminal, unless NO_COLOR is set), always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c trueup -n "__fish_trueup_using_subcommand check" -l worktree -d 'Use the files of the work tree, committed or not'
complete -c trueup -n "__fish_trueup_using_subcommand check" -l sandbox -d 'Ask a throwaway API server about every object as well'
complete -c trueup -n "__fish_trueup_using_subcommand check" -s W -l warnings-as-errors -d 'Exit 1 where there are only warnings, too'
complete -c trueup -n "__fish_trueup_using_subcommand check" -l exit-zero -d 'Exit 0 where there are errors, too'
complete -c trueup -n "__fish_trueup_using_subcommand check" -s h -l help -d 'Print help: -h the common options on one screen, --help all of them'
complete -c trueup -n "__fish_trueup_using_subcommand render" -s t -l target -d 'The target of trueup.yaml to use' -r
complete -c trueup -n "__fish_trueup_using_subcommand render" -l rev -d 'The commit, branch or tag to read [default: HEAD]' -r
complete -c trueup -n "__fish_trueup_using_subcommand render" -s n -l namespace -d 'Namespace of objects that name none, and of the inventory' -r
complete -c trueup -n "__fish_trueup_using_subcommand render" -s o -l output -d 'How to print the objects' -r -f -a "yaml\t'A document for each object, below a comment that says where it is from'
json\t'One List'"
complete -c trueup -n "__fish_trueup_using_subcommand render" -s C -l directory -d 'A folder in the checkout' -r -F
complete -c trueup -n "__fish_trueup_using_subcommand render" -l color -d 'When to colour the output: auto (on a terminal, unless NO_COLOR is set), always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c trueup -n "__fish_trueup_using_subcommand render" -l worktree -d 'Use the files of the work tree, committed or not'
complete -c trueup -n "__fish_trueup_using_subcommand render" -s v -l verbose -d 'Say what confines the programs that render'
complete -c trueup -n "__fish_trueup_using_subcommand render" -l show-secrets -d 'Print the values of Secrets as they are'
complete -c trueup -n "__fish_trueup_using_subcommand render" -s h -l help -d 'Print help: -h the common options on one screen, --help all of them'
complete -c trueup -n "__fish_trueup_using_subcommand sandbox" -s C -l directory -d 'A folder in the checkout' -r -F
complete -c trueup -n "__fish_trueup_using_subcommand sandbox" -l color -d 'When to colour the output: auto (on a terminal, unless NO_COLOR is set), always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c trueup -n "__fish_trueup_using_subcommand sandbox" -l controllers -d 'Add the controllers, the scheduler and simulated nodes, so that Deployments roll out, Jobs finish, namespaces go away and owned objects are collected'
complete -c trueup -n "__fish_trueup_using_subcommand sandbox" -s h -l help -d 'Print help: -h the common options on one screen, --help all of them'
complete -c trueup -n "__fish_trueup_using_subcommand completions" -s C -l directory -d 'A folder in the checkout' -r -F
complete -c trueup -n "__fish_trueup_using_subcommand completions" -l color -d 'When to colour the output: auto (on a terminal, unless NO_COLOR is set), always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c trueup -n "__fish_trueup_using_subcommand completions" -s h -l help -d 'Print help: -h the common options on one screen, --help all of them'
complete -c trueup -n "__fish_trueup_using_subcommand help" -s C -l directory -d 'A folder in the checkout' -r -F
complete -c trueup -n "__fish_trueup_using_subcommand help" -l color -d 'When to colour the output: auto (on a terminal, unless NO_COLOR is set), always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c trueup -n "__fish_trueup_using_subcommand help" -s h -l help -d 'Print help: -h the common options on one screen, --help all of them'
complete -c trueup -n "__fish_trueup_using_subcommand man" -s C -l directory -d 'A folder in the checkout' -r -F
complete -c trueup -n "__fish_trueup_using_subcommand man" -l color -d 'When to colour the output: auto (on a terminal, unless NO_COLOR is set), always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c trueup -n "__fish_trueup_using_subcommand man" -s h -l help -d 'Print help: -h the common options on one screen, --help all of them'
