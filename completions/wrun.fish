# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_wrun_global_optspecs
    string join \n r/runtime= compiler= opt= deterministic= memory= stack= table-elements= timeout= fuel= dir= env= net= policy= explain no-cache cache-dir= input= o/output= pretty metrics capture progress= v/verbose q/quiet log-format= color= h/help V/version
end

function __fish_wrun_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_wrun_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_wrun_using_subcommand
    set -l cmd (__fish_wrun_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c wrun -n "__fish_wrun_needs_command" -s r -l runtime -d 'The engine [default: `WRUN_RUNTIME`, else wasmtime, or wasmer where that is the only one compiled in]' -r -f -a "wasmtime\t''
wasmer\t''"
complete -c wrun -n "__fish_wrun_needs_command" -l compiler -d 'The engine\'s compiler; singlepass is on wasmer' -r -f -a "cranelift\t''
singlepass\t''"
complete -c wrun -n "__fish_wrun_needs_command" -l opt -d 'What the compiler takes time for [default: speed]; singlepass optimises nothing' -r -f -a "none\t''
speed\t''
size\t''"
complete -c wrun -n "__fish_wrun_needs_command" -l deterministic -d 'Compute the same on every engine and machine: canonical NaNs, clocks from a fixed start in fixed steps, random bytes that follow from the seed [default seed: 0]' -r
complete -c wrun -n "__fish_wrun_needs_command" -l memory -d 'The most linear memory, all memories together, with a unit: 64MiB, 1GB' -r
complete -c wrun -n "__fish_wrun_needs_command" -l stack -d 'The most guest stack, with a unit, 64KiB to 1GiB [default: 1MiB]' -r
complete -c wrun -n "__fish_wrun_needs_command" -l table-elements -d 'The most elements in each table' -r
complete -c wrun -n "__fish_wrun_needs_command" -l timeout -d 'The most wall clock, from reading the module to the result, with a unit: 500ms, 1.5s, 2m' -r
complete -c wrun -n "__fish_wrun_needs_command" -l fuel -d 'The most portable fuel, about one unit an operator: 500000, 10M, 2G' -r
complete -c wrun -n "__fish_wrun_needs_command" -l dir -d 'Grant a folder, by its own path or as GUEST; `::ro` makes it read-only' -r
complete -c wrun -n "__fish_wrun_needs_command" -l env -d 'Grant an environment variable; without a value, a copy of wrun\'s own' -r
complete -c wrun -n "__fish_wrun_needs_command" -l net -d 'Grant network to a WASIX program on wasmer: reach 127.0.0.1:80, tcp:10.0.0.0/8:*, example.org:443; listen at in:tcp:127.0.0.1:8080; look up dns:example.org' -r
complete -c wrun -n "__fish_wrun_needs_command" -l policy -d 'Limits and grants from a TOML file; flags win over it' -r -F
complete -c wrun -n "__fish_wrun_needs_command" -l cache-dir -d 'Where compiled code is kept [default: `WRUN_CACHE_DIR`, else wrun in the XDG cache folder]' -r -F
complete -c wrun -n "__fish_wrun_needs_command" -l input -d 'How arguments on standard input are written' -r -f -a "json\t''
msgpack\t''"
complete -c wrun -n "__fish_wrun_needs_command" -s o -l output -d 'How results are written [default: json; of --explain: text]' -r -f -a "json\t''
msgpack\t''
text\t''"
complete -c wrun -n "__fish_wrun_needs_command" -l progress -d 'When to show progress on standard error: auto is on a terminal, after 300 ms' -r -f -a "auto\t''
always\t''
never\t''"
complete -c wrun -n "__fish_wrun_needs_command" -l log-format -d 'How log lines are written' -r -f -a "text\t''
json\t''"
complete -c wrun -n "__fish_wrun_needs_command" -l color -d 'When to colour messages; auto honours `NO_COLOR`' -r -f -a "auto\t''
always\t''
never\t''"
complete -c wrun -n "__fish_wrun_needs_command" -l explain -d 'Tell what would be in force and where it comes from, and run nothing'
complete -c wrun -n "__fish_wrun_needs_command" -l no-cache -d 'Neither use compiled code that was kept nor keep any'
complete -c wrun -n "__fish_wrun_needs_command" -l pretty -d 'Indent JSON'
complete -c wrun -n "__fish_wrun_needs_command" -l metrics -d 'Print the envelope (result or error, exit code, times, memory) instead of the bare result'
complete -c wrun -n "__fish_wrun_needs_command" -l capture -d 'Put the guest\'s standard output and error into the envelope'
complete -c wrun -n "__fish_wrun_needs_command" -s v -l verbose -d 'Say more on standard error (-vv: the engines too); `WRUN_LOG` takes a filter'
complete -c wrun -n "__fish_wrun_needs_command" -s q -l quiet -d 'Say only what failed, without hints'
complete -c wrun -n "__fish_wrun_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wrun -n "__fish_wrun_needs_command" -s V -l version -d 'Print version'
complete -c wrun -n "__fish_wrun_needs_command" -a "inspect" -d 'Tell what a module is and needs, without running it'
complete -c wrun -n "__fish_wrun_needs_command" -a "engines" -d 'Tell which engines are compiled in, and what each can do'
complete -c wrun -n "__fish_wrun_needs_command" -a "compile" -d 'Compile modules into the cache, so that they start at once later'
complete -c wrun -n "__fish_wrun_needs_command" -a "cache" -d 'Look at the cache of compiled code, or tidy it'
complete -c wrun -n "__fish_wrun_needs_command" -a "completions" -d 'Print a completion script for a shell'
complete -c wrun -n "__fish_wrun_using_subcommand inspect" -s o -l output -d 'How it is written' -r -f -a "json\t''
msgpack\t''
text\t''"
complete -c wrun -n "__fish_wrun_using_subcommand inspect" -l log-format -d 'How log lines are written' -r -f -a "text\t''
json\t''"
complete -c wrun -n "__fish_wrun_using_subcommand inspect" -l color -d 'When to colour messages; auto honours `NO_COLOR`' -r -f -a "auto\t''
always\t''
never\t''"
complete -c wrun -n "__fish_wrun_using_subcommand inspect" -l pretty -d 'Indent JSON'
complete -c wrun -n "__fish_wrun_using_subcommand inspect" -s v -l verbose -d 'Say more on standard error (-vv: the engines too); `WRUN_LOG` takes a filter'
complete -c wrun -n "__fish_wrun_using_subcommand inspect" -s q -l quiet -d 'Say only what failed, without hints'
complete -c wrun -n "__fish_wrun_using_subcommand inspect" -s h -l help -d 'Print help'
complete -c wrun -n "__fish_wrun_using_subcommand engines" -s o -l output -d 'How it is written' -r -f -a "text\t''
json\t''
msgpack\t''
markdown\t''"
complete -c wrun -n "__fish_wrun_using_subcommand engines" -l log-format -d 'How log lines are written' -r -f -a "text\t''
json\t''"
complete -c wrun -n "__fish_wrun_using_subcommand engines" -l color -d 'When to colour messages; auto honours `NO_COLOR`' -r -f -a "auto\t''
always\t''
never\t''"
complete -c wrun -n "__fish_wrun_using_subcommand engines" -l pretty -d 'Indent JSON'
complete -c wrun -n "__fish_wrun_using_subcommand engines" -s v -l verbose -d 'Say more on standard error (-vv: the engines too); `WRUN_LOG` takes a filter'
complete -c wrun -n "__fish_wrun_using_subcommand engines" -s q -l quiet -d 'Say only what failed, without hints'
complete -c wrun -n "__fish_wrun_using_subcommand engines" -s h -l help -d 'Print help'
complete -c wrun -n "__fish_wrun_using_subcommand compile" -s r -l runtime -d 'The engine [default: `WRUN_RUNTIME`, else wasmtime, or wasmer where that is the only one compiled in]' -r -f -a "wasmtime\t''
wasmer\t''"
complete -c wrun -n "__fish_wrun_using_subcommand compile" -l compiler -d 'The engine\'s compiler; singlepass is on wasmer' -r -f -a "cranelift\t''
singlepass\t''"
complete -c wrun -n "__fish_wrun_using_subcommand compile" -l opt -d 'What the compiler takes time for [default: speed]; singlepass optimises nothing' -r -f -a "none\t''
speed\t''
size\t''"
complete -c wrun -n "__fish_wrun_using_subcommand compile" -l deterministic -d 'Compute the same on every engine and machine: canonical NaNs, clocks from a fixed start in fixed steps, random bytes that follow from the seed [default seed: 0]' -r
complete -c wrun -n "__fish_wrun_using_subcommand compile" -l fuel -d 'For runs with --fuel: what they are given plays no part' -r
complete -c wrun -n "__fish_wrun_using_subcommand compile" -l timeout -d 'For runs with --timeout: how long they may take plays no part' -r
complete -c wrun -n "__fish_wrun_using_subcommand compile" -l policy -d 'For runs with this policy file' -r -F
complete -c wrun -n "__fish_wrun_using_subcommand compile" -l cache-dir -d 'Where compiled code is kept [default: `WRUN_CACHE_DIR`, else wrun in the XDG cache folder]' -r -F
complete -c wrun -n "__fish_wrun_using_subcommand compile" -s o -l output -d 'How it is written' -r -f -a "json\t''
msgpack\t''
text\t''"
complete -c wrun -n "__fish_wrun_using_subcommand compile" -l progress -d 'When to show progress on standard error: auto is on a terminal, after 300 ms' -r -f -a "auto\t''
always\t''
never\t''"
complete -c wrun -n "__fish_wrun_using_subcommand compile" -l log-format -d 'How log lines are written' -r -f -a "text\t''
json\t''"
complete -c wrun -n "__fish_wrun_using_subcommand compile" -l color -d 'When to colour messages; auto honours `NO_COLOR`' -r -f -a "auto\t''
always\t''
never\t''"
complete -c wrun -n "__fish_wrun_using_subcommand compile" -l pretty -d 'Indent JSON'
complete -c wrun -n "__fish_wrun_using_subcommand compile" -s v -l verbose -d 'Say more on standard error (-vv: the engines too); `WRUN_LOG` takes a filter'
complete -c wrun -n "__fish_wrun_using_subcommand compile" -s q -l quiet -d 'Say only what failed, without hints'
complete -c wrun -n "__fish_wrun_using_subcommand compile" -s h -l help -d 'Print help'
complete -c wrun -n "__fish_wrun_using_subcommand cache" -l max-size -d 'What to prune to [default: `WRUN_CACHE_SIZE`, else 1GiB]' -r
complete -c wrun -n "__fish_wrun_using_subcommand cache" -l cache-dir -d 'Where compiled code is kept [default: `WRUN_CACHE_DIR`, else wrun in the XDG cache folder]' -r -F
complete -c wrun -n "__fish_wrun_using_subcommand cache" -s o -l output -d 'How it is written' -r -f -a "json\t''
msgpack\t''
text\t''"
complete -c wrun -n "__fish_wrun_using_subcommand cache" -l log-format -d 'How log lines are written' -r -f -a "text\t''
json\t''"
complete -c wrun -n "__fish_wrun_using_subcommand cache" -l color -d 'When to colour messages; auto honours `NO_COLOR`' -r -f -a "auto\t''
always\t''
never\t''"
complete -c wrun -n "__fish_wrun_using_subcommand cache" -l remove -d 'Remove what verify finds to be bad'
complete -c wrun -n "__fish_wrun_using_subcommand cache" -l pretty -d 'Indent JSON'
complete -c wrun -n "__fish_wrun_using_subcommand cache" -s v -l verbose -d 'Say more on standard error (-vv: the engines too); `WRUN_LOG` takes a filter'
complete -c wrun -n "__fish_wrun_using_subcommand cache" -s q -l quiet -d 'Say only what failed, without hints'
complete -c wrun -n "__fish_wrun_using_subcommand cache" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wrun -n "__fish_wrun_using_subcommand completions" -l log-format -d 'How log lines are written' -r -f -a "text\t''
json\t''"
complete -c wrun -n "__fish_wrun_using_subcommand completions" -l color -d 'When to colour messages; auto honours `NO_COLOR`' -r -f -a "auto\t''
always\t''
never\t''"
complete -c wrun -n "__fish_wrun_using_subcommand completions" -s v -l verbose -d 'Say more on standard error (-vv: the engines too); `WRUN_LOG` takes a filter'
complete -c wrun -n "__fish_wrun_using_subcommand completions" -s q -l quiet -d 'Say only what failed, without hints'
complete -c wrun -n "__fish_wrun_using_subcommand completions" -s h -l help -d 'Print help'
