
use builtin;
use str;

set edit:completion:arg-completer[trueup] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'trueup'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'trueup'= {
            cand -C 'A folder in the checkout'
            cand --directory 'A folder in the checkout'
            cand --color 'When to colour the output: auto (on a terminal, unless NO_COLOR is set), always or never'
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
            cand pull 'Fetch the remote''s new commits and fast-forward the checkout'
            cand diff 'Show what apply would change'
            cand apply 'Make the cluster true to the commit, and prune'
            cand watch 'Pull and apply, again and again'
            cand check 'Check manifests without a cluster'
            cand render 'Print the objects as git says them'
            cand sandbox 'Run a throwaway Kubernetes control plane on this machine'
            cand completions 'Print the completion script of a shell'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'trueup;pull'= {
            cand --url 'Clone from here if there is no checkout yet, and refuse a checkout of anything else'
            cand --branch 'The branch to check out when cloning, and the one that must be checked out'
            cand --pull-timeout 'How long the remote may be silent: 90s, 5m; a plain number counts seconds'
            cand -o 'How to print what was done'
            cand --output 'How to print what was done'
            cand -C 'A folder in the checkout'
            cand --directory 'A folder in the checkout'
            cand --color 'When to colour the output: auto (on a terminal, unless NO_COLOR is set), always or never'
            cand --bare 'Clone without a work tree'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'trueup;diff'= {
            cand -t 'The target of trueup.yaml to use'
            cand --target 'The target of trueup.yaml to use'
            cand --rev 'The commit, branch or tag to make true [default: HEAD]'
            cand -n 'Namespace of objects that name none, and of the inventory'
            cand --namespace 'Namespace of objects that name none, and of the inventory'
            cand --name 'Name of the inventory [default: from the checkout''s folder and PATH]'
            cand --allow-delete 'Kind that may be deleted though data goes with it (repeatable)'
            cand --replace 'Kind whose objects may be deleted and made anew where a field can''t change (repeatable)'
            cand --max-prune 'How much may be deleted at once: so many objects, or a share of the inventory such as 60% [default: 50%, once it has ten objects]'
            cand --on-conflict 'What to do about a field that another manager set otherwise: take it, refuse the object, or leave it [default: force]'
            cand --strict 'Refuse the whole commit where one of its documents can''t be used'
            cand --verify 'Ask the API server about every object, not only about those that may differ'
            cand --kubeconfig 'The kubeconfig file [default: KUBECONFIG, then ~/.kube/config]'
            cand --context 'The kubeconfig''s context to use'
            cand --as 'User to act as'
            cand --as-group 'Group to act as a member of (repeatable)'
            cand --request-timeout 'How long to wait for the API server to answer a request: 30s, 2m; a plain number counts seconds, and 0 waits for ever [default: 1m]'
            cand --concurrency 'How many requests may be in flight at once'
            cand --out 'Write the plan into FILE too, for `trueup apply --plan FILE`'
            cand -o 'How to print the answer'
            cand --output 'How to print the answer'
            cand -C 'A folder in the checkout'
            cand --directory 'A folder in the checkout'
            cand --color 'When to colour the output: auto (on a terminal, unless NO_COLOR is set), always or never'
            cand --worktree 'Use the files of the work tree, committed or not'
            cand --moved 'The paths were moved in git: the inventory made from others is meant'
            cand --allow-empty 'Delete everything if the commit declares nothing'
            cand --adopt 'Adopt objects that Helm, Flux, Argo CD, kapp or another ApplySet claims'
            cand --sandbox 'Use a fresh throwaway cluster of this machine, taken down afterwards'
            cand --all-fields 'Show what others set beside what git declares, too: which field, to what, who and when'
            cand --no-pager 'Do not give the text to a pager, on a terminal either'
            cand --exit-zero 'Exit 0 where there are differences, too'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'trueup;apply'= {
            cand -t 'The target of trueup.yaml to use'
            cand --target 'The target of trueup.yaml to use'
            cand --rev 'The commit, branch or tag to make true [default: HEAD]'
            cand -n 'Namespace of objects that name none, and of the inventory'
            cand --namespace 'Namespace of objects that name none, and of the inventory'
            cand --name 'Name of the inventory [default: from the checkout''s folder and PATH]'
            cand --allow-delete 'Kind that may be deleted though data goes with it (repeatable)'
            cand --replace 'Kind whose objects may be deleted and made anew where a field can''t change (repeatable)'
            cand --max-prune 'How much may be deleted at once: so many objects, or a share of the inventory such as 60% [default: 50%, once it has ten objects]'
            cand --on-conflict 'What to do about a field that another manager set otherwise: take it, refuse the object, or leave it [default: force]'
            cand --strict 'Refuse the whole commit where one of its documents can''t be used'
            cand --verify 'Ask the API server about every object, not only about those that may differ'
            cand --kubeconfig 'The kubeconfig file [default: KUBECONFIG, then ~/.kube/config]'
            cand --context 'The kubeconfig''s context to use'
            cand --as 'User to act as'
            cand --as-group 'Group to act as a member of (repeatable)'
            cand --request-timeout 'How long to wait for the API server to answer a request: 30s, 2m; a plain number counts seconds, and 0 waits for ever [default: 1m]'
            cand --concurrency 'How many requests may be in flight at once'
            cand --plan 'Carry out exactly the plan in FILE, made by `trueup diff --out FILE`'
            cand --cascade 'How objects are deleted that own others, such as a Deployment its pods [default: background]'
            cand --timeout 'How long to wait for everything to be healthy: 90s, 5m, 1h30m; a plain number counts seconds [default: 5m]'
            cand --lock-timeout 'How long to wait for another run on the same inventory: 90s, 5m; a plain number counts seconds; 0 not to wait'
            cand --on-failure 'What to do where something could not be changed, or does not get healthy [default: stop]'
            cand -o 'How to print the answer'
            cand --output 'How to print the answer'
            cand -C 'A folder in the checkout'
            cand --directory 'A folder in the checkout'
            cand --color 'When to colour the output: auto (on a terminal, unless NO_COLOR is set), always or never'
            cand --worktree 'Use the files of the work tree, committed or not'
            cand --moved 'The paths were moved in git: the inventory made from others is meant'
            cand --allow-empty 'Delete everything if the commit declares nothing'
            cand --adopt 'Adopt objects that Helm, Flux, Argo CD, kapp or another ApplySet claims'
            cand --sandbox 'Use a fresh throwaway cluster of this machine, taken down afterwards'
            cand -y 'Do not ask, on a terminal either'
            cand --yes 'Do not ask, on a terminal either'
            cand --wait 'Wait until everything is healthy, and end with 1 if it does not get so'
            cand --no-wait 'Do not wait'
            cand --exit-zero 'Exit 0 where the cluster is not at the commit, too'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'trueup;watch'= {
            cand -t 'The target of trueup.yaml to use'
            cand --target 'The target of trueup.yaml to use'
            cand --rev 'The commit, branch or tag to make true [default: HEAD]'
            cand -n 'Namespace of objects that name none, and of the inventory'
            cand --namespace 'Namespace of objects that name none, and of the inventory'
            cand --name 'Name of the inventory [default: from the checkout''s folder and PATH]'
            cand --allow-delete 'Kind that may be deleted though data goes with it (repeatable)'
            cand --replace 'Kind whose objects may be deleted and made anew where a field can''t change (repeatable)'
            cand --max-prune 'How much may be deleted at once: so many objects, or a share of the inventory such as 60% [default: 50%, once it has ten objects]'
            cand --on-conflict 'What to do about a field that another manager set otherwise: take it, refuse the object, or leave it [default: force]'
            cand --strict 'Refuse the whole commit where one of its documents can''t be used'
            cand --verify 'Ask the API server about every object, not only about those that may differ'
            cand --kubeconfig 'The kubeconfig file [default: KUBECONFIG, then ~/.kube/config]'
            cand --context 'The kubeconfig''s context to use'
            cand --as 'User to act as'
            cand --as-group 'Group to act as a member of (repeatable)'
            cand --request-timeout 'How long to wait for the API server to answer a request: 30s, 2m; a plain number counts seconds, and 0 waits for ever [default: 1m]'
            cand --concurrency 'How many requests may be in flight at once'
            cand --interval 'How long to wait between rounds, give or take a tenth: 90s, 5m; a plain number counts seconds'
            cand --cascade 'How objects are deleted that own others, such as a Deployment its pods [default: background]'
            cand --timeout 'How long a round waits for what it changed to be healthy: 90s, 5m, 1h30m; a plain number counts seconds [default: 5m]'
            cand --lock-timeout 'How long to wait for another run on the same inventory: 90s, 5m; a plain number counts seconds; 0 not to wait'
            cand --on-failure 'What to do where something could not be changed, or does not get healthy [default: stop]'
            cand --pull-timeout 'How long the remote may be silent: 90s, 5m; a plain number counts seconds'
            cand -C 'A folder in the checkout'
            cand --directory 'A folder in the checkout'
            cand --color 'When to colour the output: auto (on a terminal, unless NO_COLOR is set), always or never'
            cand --worktree 'Use the files of the work tree, committed or not'
            cand --moved 'The paths were moved in git: the inventory made from others is meant'
            cand --allow-empty 'Delete everything if the commit declares nothing'
            cand --adopt 'Adopt objects that Helm, Flux, Argo CD, kapp or another ApplySet claims'
            cand --once 'Run one round and end with its result'
            cand --no-pull 'Do not fetch; watch the checkout as others update it'
            cand --wait 'Wait until everything is healthy, and end with 1 if it does not get so'
            cand --no-wait 'Do not wait'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'trueup;check'= {
            cand -t 'The target of trueup.yaml to use'
            cand --target 'The target of trueup.yaml to use'
            cand --rev 'The commit, branch or tag to make true [default: HEAD]'
            cand -n 'Namespace of objects that name none, and of the inventory'
            cand --namespace 'Namespace of objects that name none, and of the inventory'
            cand --kubernetes-version 'The Kubernetes release whose schemas to use [default: the newest]'
            cand -o 'How to print what is found'
            cand --output 'How to print what is found'
            cand -C 'A folder in the checkout'
            cand --directory 'A folder in the checkout'
            cand --color 'When to colour the output: auto (on a terminal, unless NO_COLOR is set), always or never'
            cand --worktree 'Use the files of the work tree, committed or not'
            cand --sandbox 'Ask a throwaway API server of this machine about every object as well'
            cand -W 'Exit 1 where there are only warnings, too'
            cand --warnings-as-errors 'Exit 1 where there are only warnings, too'
            cand --exit-zero 'Exit 0 where there are errors, too'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'trueup;render'= {
            cand -t 'The target of trueup.yaml to use'
            cand --target 'The target of trueup.yaml to use'
            cand --rev 'The commit, branch or tag to make true [default: HEAD]'
            cand -n 'Namespace of objects that name none, and of the inventory'
            cand --namespace 'Namespace of objects that name none, and of the inventory'
            cand -o 'How to print the objects'
            cand --output 'How to print the objects'
            cand -C 'A folder in the checkout'
            cand --directory 'A folder in the checkout'
            cand --color 'When to colour the output: auto (on a terminal, unless NO_COLOR is set), always or never'
            cand --worktree 'Use the files of the work tree, committed or not'
            cand -v 'Say what keeps the programs that render to themselves on this machine'
            cand --verbose 'Say what keeps the programs that render to themselves on this machine'
            cand --show-secrets 'Print the values of Secrets as they are'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'trueup;sandbox'= {
            cand -C 'A folder in the checkout'
            cand --directory 'A folder in the checkout'
            cand --color 'When to colour the output: auto (on a terminal, unless NO_COLOR is set), always or never'
            cand --controllers 'Add the controllers, the scheduler and simulated nodes, so that Deployments roll out, Jobs finish, namespaces go away and owned objects are collected'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'trueup;completions'= {
            cand -C 'A folder in the checkout'
            cand --directory 'A folder in the checkout'
            cand --color 'When to colour the output: auto (on a terminal, unless NO_COLOR is set), always or never'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'trueup;help'= {
            cand pull 'Fetch the remote''s new commits and fast-forward the checkout'
            cand diff 'Show what apply would change'
            cand apply 'Make the cluster true to the commit, and prune'
            cand watch 'Pull and apply, again and again'
            cand check 'Check manifests without a cluster'
            cand render 'Print the objects as git says them'
            cand sandbox 'Run a throwaway Kubernetes control plane on this machine'
            cand completions 'Print the completion script of a shell'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'trueup;help;pull'= {
        }
        &'trueup;help;diff'= {
        }
        &'trueup;help;apply'= {
        }
        &'trueup;help;watch'= {
        }
        &'trueup;help;check'= {
        }
        &'trueup;help;render'= {
        }
        &'trueup;help;sandbox'= {
        }
        &'trueup;help;completions'= {
        }
        &'trueup;help;help'= {
        }
    ]
    $completions[$command]
}
