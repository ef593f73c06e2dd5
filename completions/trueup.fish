complete --keep-order --exclusive --command trueup --arguments "(_TRUEUP_COMPLETE=fish trueup -- (commandline --current-process --tokenize --cut-at-cursor) (commandline --current-token) 2>/dev/null)"
