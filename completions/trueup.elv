set edit:completion:arg-completer[trueup] = { |@words|
    var index = (count $words)
    set index = (- $index 1)

    put (try { env _CLAP_IFS="\n" _CLAP_COMPLETE_INDEX=(to-string $index) _TRUEUP_COMPLETE="elvish" trueup -- $@words 2>/dev/null } catch _ { }) | to-lines
}
