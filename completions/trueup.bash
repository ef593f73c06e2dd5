_clap_complete_trueup() {
    local IFS=$'\013'
    local _CLAP_COMPLETE_INDEX=${COMP_CWORD}
    local _CLAP_COMPLETE_COMP_TYPE=${COMP_TYPE}
    if compopt +o nospace 2> /dev/null; then
        local _CLAP_COMPLETE_SPACE=false
    else
        local _CLAP_COMPLETE_SPACE=true
    fi
    local words=() rest=$COMP_LINE typed="" i word gap
    for i in "${!COMP_WORDS[@]}"; do
        word=${COMP_WORDS[i]} gap=" "
        if [[ -n $word ]]; then
            gap=${rest%%"$word"*}
            rest=${rest:${#gap}+${#word}}
        fi
        # Text behind the cursor does not belong to the word, and a break is not in $2.
        if [[ $i -eq $COMP_CWORD && $word == *[!:=]* && "${BASH_VERSINFO[0]}" -ge 4 ]]; then
            word=$2
        fi
        if [[ $i -eq 0 || -n $gap ]]; then
            words+=("$word")
        elif [[ $i -le $COMP_CWORD ]]; then
            words[${#words[@]}-1]+=$word
        fi
        if [[ $i -eq $COMP_CWORD ]]; then
            _CLAP_COMPLETE_INDEX=$((${#words[@]} - 1))
            typed=${words[_CLAP_COMPLETE_INDEX]}
        fi
    done
    COMPREPLY=( $( \
        _CLAP_IFS="$IFS" \
        _CLAP_COMPLETE_INDEX="$_CLAP_COMPLETE_INDEX" \
        _CLAP_COMPLETE_COMP_TYPE="$_CLAP_COMPLETE_COMP_TYPE" \
        _CLAP_COMPLETE_SPACE="$_CLAP_COMPLETE_SPACE" \
        _TRUEUP_COMPLETE="bash" \
        command trueup -- "${words[@]}" 2>/dev/null \
    ) )
    if [[ $? != 0 ]]; then
        unset COMPREPLY
        return
    fi
    COMPREPLY=("${COMPREPLY[@]#"${typed%"$2"}"}")
    if [[ $_CLAP_COMPLETE_SPACE == false ]] && [[ "${COMPREPLY-}" =~ [=/:]$ ]]; then
        compopt -o nospace
    fi
}
if [[ "${BASH_VERSINFO[0]}" -eq 4 && "${BASH_VERSINFO[1]}" -ge 4 || "${BASH_VERSINFO[0]}" -gt 4 ]]; then
    complete -o nospace -o bashdefault -o nosort -F _clap_complete_trueup trueup
else
    complete -o nospace -o bashdefault -F _clap_complete_trueup trueup
fi
