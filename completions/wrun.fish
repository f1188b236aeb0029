# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_wrun_global_optspecs
    string join \n function= r/runtime= compiler= opt= deterministic= memory= stack= table-elements= timeout= fuel= dir= env= net= config= policy= input= o/output= pretty metrics capture= explain abi= payload= alloc= free= no-cache cache-dir= progress= v/verbose q/quiet log-format= color= h/help V/version
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

complete -c wrun -n "__fish_wrun_needs_command" -l function -d 'Exported function to call, if its name looks like an option, as in `--function=-x`; all words after MODULE are then ARGS' -r
complete -c wrun -n "__fish_wrun_needs_command" -s r -l runtime -d 'Engine to use [default: `WRUN_RUNTIME`, or the first engine compiled in]' -r -f -a "wasmtime\t''
wasmer\t''"
complete -c wrun -n "__fish_wrun_needs_command" -l compiler -d 'Compiler of the engine; singlepass needs wasmer [default: cranelift]' -r -f -a "cranelift\t''
singlepass\t''"
complete -c wrun -n "__fish_wrun_needs_command" -l opt -d 'Optimization level of cranelift [default: speed]' -r -f -a "none\t''
speed\t''
size\t''"
complete -c wrun -n "__fish_wrun_needs_command" -l deterministic -d 'Make runs reproducible: fixed clocks, canonical NaNs, random bytes from SEED [default seed: 0]' -r
complete -c wrun -n "__fish_wrun_needs_command" -l memory -d 'Maximum linear memory, all memories together, such as 64MiB or 1GB' -r
complete -c wrun -n "__fish_wrun_needs_command" -l stack -d 'Maximum guest stack, from 64KiB to 1GiB [default: 1MiB]' -r
complete -c wrun -n "__fish_wrun_needs_command" -l table-elements -d 'Maximum number of elements in each table, and in all tables of a component together' -r
complete -c wrun -n "__fish_wrun_needs_command" -l timeout -d 'Maximum time from reading the module to the result, such as 500ms, 1.5s or 2m' -r
complete -c wrun -n "__fish_wrun_needs_command" -l fuel -d 'Maximum fuel, about one unit per operator, such as 500000, 10M or 2G' -r
complete -c wrun -n "__fish_wrun_needs_command" -l dir -d 'Grant a directory, under its own path or as GUEST; `::ro` makes it read-only' -r -f -a "(__fish_complete_directories)"
complete -c wrun -n "__fish_wrun_needs_command" -l env -d 'Grant an environment variable; without VALUE, copy it from wrun\'s environment' -r
complete -c wrun -n "__fish_wrun_needs_command" -l net -d 'Grant network access to a component, a WASIX program or an Extism plug-in: `[tcp:|udp:]HOST:PORTS` to connect, `in:[tcp:|udp:]HOST:PORTS` to listen, `dns[:NAME]` to resolve names' -r
complete -c wrun -n "__fish_wrun_needs_command" -l config -d 'Set a configuration value of an Extism plug-in' -r
complete -c wrun -n "__fish_wrun_needs_command" -l policy -d 'Read limits and grants from a TOML file or an Extism manifest; options take precedence' -r -F
complete -c wrun -n "__fish_wrun_needs_command" -l input -d 'Format of arguments on standard input' -r -f -a "json\t''
msgpack\t''"
complete -c wrun -n "__fish_wrun_needs_command" -s o -l output -d 'Format of results; raw: the bytes of a string or a list of bytes [default: json; with --explain: text]' -r -f -a "json\t''
msgpack\t''
text\t''
raw\t''"
complete -c wrun -n "__fish_wrun_needs_command" -l capture -d 'Include the guest\'s standard output and error in the envelope, up to SIZE each [default size: 64MiB]' -r
complete -c wrun -n "__fish_wrun_needs_command" -l abi -d 'Convention by which a core module takes and returns text [default: none; extism for an Extism plug-in]' -r -f -a "packed\t''
cstr\t''
stdio\t''
extism\t''"
complete -c wrun -n "__fish_wrun_needs_command" -l payload -d 'How JSON and MessagePack represent the text: a string, a JSON value, or bytes [default: text]' -r -f -a "text\t''
json\t''
bytes\t''"
complete -c wrun -n "__fish_wrun_needs_command" -l alloc -d 'Exported function that allocates memory [default: one of the usual names]' -r
complete -c wrun -n "__fish_wrun_needs_command" -l free -d 'Exported function that frees memory; empty: free nothing [default: one of the usual names]' -r
complete -c wrun -n "__fish_wrun_needs_command" -l cache-dir -d 'Directory of the cache [default: `WRUN_CACHE_DIR`, or wrun in the XDG cache directory]' -r -f -a "(__fish_complete_directories)"
complete -c wrun -n "__fish_wrun_needs_command" -l progress -d 'When to show progress on standard error; auto: on a terminal, after 300 ms' -r -f -a "auto\t''
always\t''
never\t''"
complete -c wrun -n "__fish_wrun_needs_command" -l log-format -d 'Format of log lines' -r -f -a "text\t''
json\t''"
complete -c wrun -n "__fish_wrun_needs_command" -l color -d 'When to color messages; auto honors `NO_COLOR`' -r -f -a "auto\t''
always\t''
never\t''"
complete -c wrun -n "__fish_wrun_needs_command" -l pretty -d 'Indent JSON; other formats ignore it'
complete -c wrun -n "__fish_wrun_needs_command" -l metrics -d 'Print the envelope (result or error, exit code, times, memory) instead of the bare result'
complete -c wrun -n "__fish_wrun_needs_command" -l explain -d 'Print the engine, limits and grants in force, and where each comes from; run nothing'
complete -c wrun -n "__fish_wrun_needs_command" -l no-cache -d 'Neither read nor write the cache of compiled code'
complete -c wrun -n "__fish_wrun_needs_command" -s v -l verbose -d 'Log more to standard error (-vv: the engines too); `WRUN_LOG` takes a filter'
complete -c wrun -n "__fish_wrun_needs_command" -s q -l quiet -d 'Print only errors, without hints'
complete -c wrun -n "__fish_wrun_needs_command" -s h -l help -d 'Print help'
complete -c wrun -n "__fish_wrun_needs_command" -s V -l version -d 'Print version'
complete -c wrun -n "__fish_wrun_needs_command" -a "inspect" -d 'Show the contents and requirements of a module or component, without running it'
complete -c wrun -n "__fish_wrun_needs_command" -a "engines" -d 'List the engines and what each can do'
complete -c wrun -n "__fish_wrun_needs_command" -a "compile" -d 'Compile modules and components into the cache'
complete -c wrun -n "__fish_wrun_needs_command" -a "batch" -d 'Call a function with each record of standard input'
complete -c wrun -n "__fish_wrun_needs_command" -a "diff" -d 'Run a call or a program on several engines, and report what differs'
complete -c wrun -n "__fish_wrun_needs_command" -a "bench" -d 'Measure how fast a call or a program is on several engines'
complete -c wrun -n "__fish_wrun_needs_command" -a "cache" -d 'Inspect or clean the cache of compiled code'
complete -c wrun -n "__fish_wrun_needs_command" -a "schema" -d 'Print the JSON Schemas of the reports'
complete -c wrun -n "__fish_wrun_needs_command" -a "completions" -d 'Print a completion script for a shell'
complete -c wrun -n "__fish_wrun_using_subcommand inspect" -s o -l output -d 'Format of the report' -r -f -a "json\t''
msgpack\t''
text\t''"
complete -c wrun -n "__fish_wrun_using_subcommand inspect" -l log-format -d 'Format of log lines' -r -f -a "text\t''
json\t''"
complete -c wrun -n "__fish_wrun_using_subcommand inspect" -l color -d 'When to color messages; auto honors `NO_COLOR`' -r -f -a "auto\t''
always\t''
never\t''"
complete -c wrun -n "__fish_wrun_using_subcommand inspect" -l pretty -d 'Indent JSON; other formats ignore it'
complete -c wrun -n "__fish_wrun_using_subcommand inspect" -s v -l verbose -d 'Log more to standard error (-vv: the engines too); `WRUN_LOG` takes a filter'
complete -c wrun -n "__fish_wrun_using_subcommand inspect" -s q -l quiet -d 'Print only errors, without hints'
complete -c wrun -n "__fish_wrun_using_subcommand inspect" -s h -l help -d 'Print help'
complete -c wrun -n "__fish_wrun_using_subcommand engines" -s o -l output -d 'Format of the table' -r -f -a "text\t''
json\t''
msgpack\t''
markdown\t''"
complete -c wrun -n "__fish_wrun_using_subcommand engines" -l log-format -d 'Format of log lines' -r -f -a "text\t''
json\t''"
complete -c wrun -n "__fish_wrun_using_subcommand engines" -l color -d 'When to color messages; auto honors `NO_COLOR`' -r -f -a "auto\t''
always\t''
never\t''"
complete -c wrun -n "__fish_wrun_using_subcommand engines" -l pretty -d 'Indent JSON'
complete -c wrun -n "__fish_wrun_using_subcommand engines" -s v -l verbose -d 'Log more to standard error (-vv: the engines too); `WRUN_LOG` takes a filter'
complete -c wrun -n "__fish_wrun_using_subcommand engines" -s q -l quiet -d 'Print only errors, without hints'
complete -c wrun -n "__fish_wrun_using_subcommand engines" -s h -l help -d 'Print help'
complete -c wrun -n "__fish_wrun_using_subcommand compile" -s o -l output -d 'Format of the report' -r -f -a "json\t''
msgpack\t''
text\t''"
complete -c wrun -n "__fish_wrun_using_subcommand compile" -s r -l runtime -d 'Engine to use [default: `WRUN_RUNTIME`, or the first engine compiled in]' -r -f -a "wasmtime\t''
wasmer\t''"
complete -c wrun -n "__fish_wrun_using_subcommand compile" -l compiler -d 'Compiler of the engine; singlepass needs wasmer [default: cranelift]' -r -f -a "cranelift\t''
singlepass\t''"
complete -c wrun -n "__fish_wrun_using_subcommand compile" -l opt -d 'Optimization level of cranelift [default: speed]' -r -f -a "none\t''
speed\t''
size\t''"
complete -c wrun -n "__fish_wrun_using_subcommand compile" -l deterministic -d 'Make runs reproducible: fixed clocks, canonical NaNs, random bytes from SEED [default seed: 0]' -r
complete -c wrun -n "__fish_wrun_using_subcommand compile" -l fuel -d 'Compile for runs with --fuel, of any amount' -r
complete -c wrun -n "__fish_wrun_using_subcommand compile" -l timeout -d 'Compile for runs with --timeout, of any duration' -r
complete -c wrun -n "__fish_wrun_using_subcommand compile" -l policy -d 'Read limits and grants from a TOML file or an Extism manifest; options take precedence' -r -F
complete -c wrun -n "__fish_wrun_using_subcommand compile" -l cache-dir -d 'Directory of the cache [default: `WRUN_CACHE_DIR`, or wrun in the XDG cache directory]' -r -f -a "(__fish_complete_directories)"
complete -c wrun -n "__fish_wrun_using_subcommand compile" -l progress -d 'When to show progress on standard error; auto: on a terminal, after 300 ms' -r -f -a "auto\t''
always\t''
never\t''"
complete -c wrun -n "__fish_wrun_using_subcommand compile" -l log-format -d 'Format of log lines' -r -f -a "text\t''
json\t''"
complete -c wrun -n "__fish_wrun_using_subcommand compile" -l color -d 'When to color messages; auto honors `NO_COLOR`' -r -f -a "auto\t''
always\t''
never\t''"
complete -c wrun -n "__fish_wrun_using_subcommand compile" -l pretty -d 'Indent JSON; other formats ignore it'
complete -c wrun -n "__fish_wrun_using_subcommand compile" -s v -l verbose -d 'Log more to standard error (-vv: the engines too); `WRUN_LOG` takes a filter'
complete -c wrun -n "__fish_wrun_using_subcommand compile" -s q -l quiet -d 'Print only errors, without hints'
complete -c wrun -n "__fish_wrun_using_subcommand compile" -s h -l help -d 'Print help'
complete -c wrun -n "__fish_wrun_using_subcommand batch" -l function -d 'Exported function to call, if its name looks like an option' -r
complete -c wrun -n "__fish_wrun_using_subcommand batch" -l on-error -d 'What to write if a record fails: an error, nothing, or the record itself; `fail` stops the batch [default: emit]' -r -f -a "emit\t''
skip\t''
pass\t''
fail\t''"
complete -c wrun -n "__fish_wrun_using_subcommand batch" -l errors -d 'Write the errors of records to a file, as one JSON object per line' -r -F
complete -c wrun -n "__fish_wrun_using_subcommand batch" -l jobs -d 'Number of records processed at a time [default: number of available cores]' -r
complete -c wrun -n "__fish_wrun_using_subcommand batch" -l instance -d 'Run all calls of a job in one instance, or each call in a new one [default: shared]' -r -f -a "shared\t''
per-call\t''"
complete -c wrun -n "__fish_wrun_using_subcommand batch" -l input -d 'Format of the records [default: json]' -r -f -a "json\t''
lines\t''
nul\t''
csv\t''
msgpack\t''
arrow\t''"
complete -c wrun -n "__fish_wrun_using_subcommand batch" -s o -l output -d 'Format of the results [default: json]' -r -f -a "json\t''
text\t''
csv\t''
msgpack\t''
arrow\t''
raw\t''"
complete -c wrun -n "__fish_wrun_using_subcommand batch" -l columns -d 'Columns of the arguments, by name, or by position from 1 with --no-header [default: by the names of the parameters, else all columns in order]' -r
complete -c wrun -n "__fish_wrun_using_subcommand batch" -l max-record -d 'Maximum length of a record [default: 16MiB]' -r
complete -c wrun -n "__fish_wrun_using_subcommand batch" -l metrics -d 'Write the metrics of the batch to a file, as MessagePack if its name ends in `.msgpack`, else as JSON' -r -F
complete -c wrun -n "__fish_wrun_using_subcommand batch" -l abi -d 'Convention by which a core module takes and returns text [default: none; extism for an Extism plug-in]' -r -f -a "packed\t''
cstr\t''
stdio\t''
extism\t''"
complete -c wrun -n "__fish_wrun_using_subcommand batch" -l payload -d 'How JSON and MessagePack represent the text: a string, a JSON value, or bytes [default: text]' -r -f -a "text\t''
json\t''
bytes\t''"
complete -c wrun -n "__fish_wrun_using_subcommand batch" -l alloc -d 'Exported function that allocates memory [default: one of the usual names]' -r
complete -c wrun -n "__fish_wrun_using_subcommand batch" -l free -d 'Exported function that frees memory; empty: free nothing [default: one of the usual names]' -r
complete -c wrun -n "__fish_wrun_using_subcommand batch" -s r -l runtime -d 'Engine to use [default: `WRUN_RUNTIME`, or the first engine compiled in]' -r -f -a "wasmtime\t''
wasmer\t''"
complete -c wrun -n "__fish_wrun_using_subcommand batch" -l compiler -d 'Compiler of the engine; singlepass needs wasmer [default: cranelift]' -r -f -a "cranelift\t''
singlepass\t''"
complete -c wrun -n "__fish_wrun_using_subcommand batch" -l opt -d 'Optimization level of cranelift [default: speed]' -r -f -a "none\t''
speed\t''
size\t''"
complete -c wrun -n "__fish_wrun_using_subcommand batch" -l deterministic -d 'Make runs reproducible: fixed clocks, canonical NaNs, random bytes from SEED [default seed: 0]' -r
complete -c wrun -n "__fish_wrun_using_subcommand batch" -l memory -d 'Maximum linear memory, all memories together, such as 64MiB or 1GB' -r
complete -c wrun -n "__fish_wrun_using_subcommand batch" -l stack -d 'Maximum guest stack, from 64KiB to 1GiB [default: 1MiB]' -r
complete -c wrun -n "__fish_wrun_using_subcommand batch" -l table-elements -d 'Maximum number of elements in each table, and in all tables of a component together' -r
complete -c wrun -n "__fish_wrun_using_subcommand batch" -l timeout -d 'Maximum time of each call, such as 500ms, 1.5s or 2m' -r
complete -c wrun -n "__fish_wrun_using_subcommand batch" -l fuel -d 'Maximum fuel of each call, about one unit per operator, such as 500000, 10M or 2G' -r
complete -c wrun -n "__fish_wrun_using_subcommand batch" -l dir -d 'Grant a directory, under its own path or as GUEST; `::ro` makes it read-only' -r -f -a "(__fish_complete_directories)"
complete -c wrun -n "__fish_wrun_using_subcommand batch" -l env -d 'Grant an environment variable; without VALUE, copy it from wrun\'s environment' -r
complete -c wrun -n "__fish_wrun_using_subcommand batch" -l net -d 'Grant network access to a component, a WASIX program or an Extism plug-in: `[tcp:|udp:]HOST:PORTS` to connect, `in:[tcp:|udp:]HOST:PORTS` to listen, `dns[:NAME]` to resolve names' -r
complete -c wrun -n "__fish_wrun_using_subcommand batch" -l config -d 'Set a configuration value of an Extism plug-in' -r
complete -c wrun -n "__fish_wrun_using_subcommand batch" -l policy -d 'Read limits and grants from a TOML file or an Extism manifest; options take precedence' -r -F
complete -c wrun -n "__fish_wrun_using_subcommand batch" -l cache-dir -d 'Directory of the cache [default: `WRUN_CACHE_DIR`, or wrun in the XDG cache directory]' -r -f -a "(__fish_complete_directories)"
complete -c wrun -n "__fish_wrun_using_subcommand batch" -l progress -d 'When to show progress on standard error; auto: on a terminal, after 300 ms' -r -f -a "auto\t''
always\t''
never\t''"
complete -c wrun -n "__fish_wrun_using_subcommand batch" -l log-format -d 'Format of log lines' -r -f -a "text\t''
json\t''"
complete -c wrun -n "__fish_wrun_using_subcommand batch" -l color -d 'When to color messages; auto honors `NO_COLOR`' -r -f -a "auto\t''
always\t''
never\t''"
complete -c wrun -n "__fish_wrun_using_subcommand batch" -l unordered -d 'Write each result as soon as its call ends, not in input order'
complete -c wrun -n "__fish_wrun_using_subcommand batch" -l no-header -d 'Treat the first row of CSV as a record'
complete -c wrun -n "__fish_wrun_using_subcommand batch" -l explain -d 'Print the engine, limits, grants and options in force, and where each comes from; run nothing'
complete -c wrun -n "__fish_wrun_using_subcommand batch" -l no-cache -d 'Neither read nor write the cache of compiled code'
complete -c wrun -n "__fish_wrun_using_subcommand batch" -s v -l verbose -d 'Log more to standard error (-vv: the engines too); `WRUN_LOG` takes a filter'
complete -c wrun -n "__fish_wrun_using_subcommand batch" -s q -l quiet -d 'Print only errors, without hints'
complete -c wrun -n "__fish_wrun_using_subcommand batch" -s h -l help -d 'Print help'
complete -c wrun -n "__fish_wrun_using_subcommand diff" -l function -d 'Exported function to call, if its name looks like an option; all words after MODULE are then ARGS' -r
complete -c wrun -n "__fish_wrun_using_subcommand diff" -s r -l runtime -d 'Compare only this engine' -r -f -a "wasmtime\t''
wasmer\t''"
complete -c wrun -n "__fish_wrun_using_subcommand diff" -l compiler -d 'Compare only this compiler' -r -f -a "cranelift\t''
singlepass\t''"
complete -c wrun -n "__fish_wrun_using_subcommand diff" -l opt -d 'Compare only this optimization level of cranelift; singlepass has none' -r -f -a "none\t''
speed\t''
size\t''"
complete -c wrun -n "__fish_wrun_using_subcommand diff" -l deterministic -d 'Seed of random bytes; clocks and NaNs are always deterministic [default: 0]' -r
complete -c wrun -n "__fish_wrun_using_subcommand diff" -l memory -d 'Maximum linear memory, all memories together, such as 64MiB or 1GB' -r
complete -c wrun -n "__fish_wrun_using_subcommand diff" -l stack -d 'Maximum guest stack, from 64KiB to 1GiB [default: 1MiB]' -r
complete -c wrun -n "__fish_wrun_using_subcommand diff" -l table-elements -d 'Maximum number of elements in each table, and in all tables of a component together' -r
complete -c wrun -n "__fish_wrun_using_subcommand diff" -l timeout -d 'Maximum time of each run, such as 500ms, 1.5s or 2m' -r
complete -c wrun -n "__fish_wrun_using_subcommand diff" -l fuel -d 'Maximum fuel of each run, about one unit per operator, such as 500000, 10M or 2G' -r
complete -c wrun -n "__fish_wrun_using_subcommand diff" -l dir -d 'Grant a directory, under its own path or as GUEST; `::ro` makes it read-only' -r -f -a "(__fish_complete_directories)"
complete -c wrun -n "__fish_wrun_using_subcommand diff" -l env -d 'Grant an environment variable; without VALUE, copy it from wrun\'s environment' -r
complete -c wrun -n "__fish_wrun_using_subcommand diff" -l net -d 'Grant network access to a component, a WASIX program or an Extism plug-in: `[tcp:|udp:]HOST:PORTS` to connect, `in:[tcp:|udp:]HOST:PORTS` to listen, `dns[:NAME]` to resolve names' -r
complete -c wrun -n "__fish_wrun_using_subcommand diff" -l config -d 'Set a configuration value of an Extism plug-in' -r
complete -c wrun -n "__fish_wrun_using_subcommand diff" -l policy -d 'Read limits and grants from a TOML file or an Extism manifest; options take precedence' -r -F
complete -c wrun -n "__fish_wrun_using_subcommand diff" -l input -d 'Format of arguments or records on standard input' -r -f -a "json\t''
msgpack\t''"
complete -c wrun -n "__fish_wrun_using_subcommand diff" -s o -l output -d 'Format of the report' -r -f -a "json\t''
msgpack\t''
text\t''"
complete -c wrun -n "__fish_wrun_using_subcommand diff" -l repro -d 'Write the module, standard input, the report and a script that repeats the comparison to a new directory' -r -f -a "(__fish_complete_directories)"
complete -c wrun -n "__fish_wrun_using_subcommand diff" -l abi -d 'Convention by which a core module takes and returns text [default: none; extism for an Extism plug-in]' -r -f -a "packed\t''
cstr\t''
stdio\t''
extism\t''"
complete -c wrun -n "__fish_wrun_using_subcommand diff" -l payload -d 'How JSON and MessagePack represent the text: a string, a JSON value, or bytes [default: text]' -r -f -a "text\t''
json\t''
bytes\t''"
complete -c wrun -n "__fish_wrun_using_subcommand diff" -l alloc -d 'Exported function that allocates memory [default: one of the usual names]' -r
complete -c wrun -n "__fish_wrun_using_subcommand diff" -l free -d 'Exported function that frees memory; empty: free nothing [default: one of the usual names]' -r
complete -c wrun -n "__fish_wrun_using_subcommand diff" -l fuzz -d 'Compare N generated modules; each difference is shrunk and written as by --repro [default DIR: fuzz-SEED]' -r
complete -c wrun -n "__fish_wrun_using_subcommand diff" -l without -d 'Generate nothing that needs these features, by the names of `wrun engines`' -r -f -a "mutable_global\t''
saturating_float_to_int\t''
sign_extension\t''
multi_value\t''
bulk_memory\t''
reference_types\t''
simd\t''
relaxed_simd\t''
threads\t''
extended_const\t''
multi_memory\t''
exceptions\t''
tail_call\t''
memory64\t''
function_references\t''
gc\t''
custom_page_sizes\t''
wide_arithmetic\t''
legacy_exceptions\t''
memory_control\t''
shared_everything_threads\t''
stack_switching\t''
custom_descriptors\t''
compact_imports\t''"
complete -c wrun -n "__fish_wrun_using_subcommand diff" -l seed -d 'Seed of the generated modules and arguments [default: 0]' -r
complete -c wrun -n "__fish_wrun_using_subcommand diff" -l skip -d 'Leave out the first N modules of the seed' -r
complete -c wrun -n "__fish_wrun_using_subcommand diff" -l progress -d 'When to show progress on standard error; auto: on a terminal, after 300 ms' -r -f -a "auto\t''
always\t''
never\t''"
complete -c wrun -n "__fish_wrun_using_subcommand diff" -l log-format -d 'Format of log lines' -r -f -a "text\t''
json\t''"
complete -c wrun -n "__fish_wrun_using_subcommand diff" -l color -d 'When to color messages; auto honors `NO_COLOR`' -r -f -a "auto\t''
always\t''
never\t''"
complete -c wrun -n "__fish_wrun_using_subcommand diff" -l pretty -d 'Indent JSON; other formats ignore it'
complete -c wrun -n "__fish_wrun_using_subcommand diff" -l batch -d 'Compare each record of standard input, as `wrun batch` reads them in JSON or MessagePack, and report those that differ'
complete -c wrun -n "__fish_wrun_using_subcommand diff" -s v -l verbose -d 'Log more to standard error (-vv: the engines too); `WRUN_LOG` takes a filter'
complete -c wrun -n "__fish_wrun_using_subcommand diff" -s q -l quiet -d 'Print only errors, without hints'
complete -c wrun -n "__fish_wrun_using_subcommand diff" -s h -l help -d 'Print help'
complete -c wrun -n "__fish_wrun_using_subcommand bench" -l function -d 'Exported function to call, if its name looks like an option; all words after MODULE are then ARGS' -r
complete -c wrun -n "__fish_wrun_using_subcommand bench" -l time -d 'Maximum time for each phase, all variants together [default: 3s]' -r
complete -c wrun -n "__fish_wrun_using_subcommand bench" -l precision -d 'End a phase early when the 95 % interval of each median extends at most this far to each side of the median [default: 2%]' -r
complete -c wrun -n "__fish_wrun_using_subcommand bench" -l baseline -d 'Compare with a report that `-o json` wrote; exit with 1 if something is slower' -r -F
complete -c wrun -n "__fish_wrun_using_subcommand bench" -l max-regression -d 'Largest slowdown that is accepted' -r
complete -c wrun -n "__fish_wrun_using_subcommand bench" -s r -l runtime -d 'Measure only this engine' -r -f -a "wasmtime\t''
wasmer\t''"
complete -c wrun -n "__fish_wrun_using_subcommand bench" -l compiler -d 'Measure only this compiler' -r -f -a "cranelift\t''
singlepass\t''"
complete -c wrun -n "__fish_wrun_using_subcommand bench" -l opt -d 'Measure only this optimization level of cranelift; singlepass has none' -r -f -a "none\t''
speed\t''
size\t''"
complete -c wrun -n "__fish_wrun_using_subcommand bench" -l deterministic -d 'Make runs reproducible: fixed clocks, canonical NaNs, random bytes from SEED [default seed: 0]' -r
complete -c wrun -n "__fish_wrun_using_subcommand bench" -l memory -d 'Maximum linear memory, all memories together, such as 64MiB or 1GB' -r
complete -c wrun -n "__fish_wrun_using_subcommand bench" -l stack -d 'Maximum guest stack, from 64KiB to 1GiB [default: 1MiB]' -r
complete -c wrun -n "__fish_wrun_using_subcommand bench" -l table-elements -d 'Maximum number of elements in each table, and in all tables of a component together' -r
complete -c wrun -n "__fish_wrun_using_subcommand bench" -l timeout -d 'Maximum time of each call, such as 500ms, 1.5s or 2m' -r
complete -c wrun -n "__fish_wrun_using_subcommand bench" -l fuel -d 'Maximum fuel of each call, about one unit per operator, such as 500000, 10M or 2G' -r
complete -c wrun -n "__fish_wrun_using_subcommand bench" -l dir -d 'Grant a directory, under its own path or as GUEST; `::ro` makes it read-only' -r -f -a "(__fish_complete_directories)"
complete -c wrun -n "__fish_wrun_using_subcommand bench" -l env -d 'Grant an environment variable; without VALUE, copy it from wrun\'s environment' -r
complete -c wrun -n "__fish_wrun_using_subcommand bench" -l net -d 'Grant network access to a component, a WASIX program or an Extism plug-in: `[tcp:|udp:]HOST:PORTS` to connect, `in:[tcp:|udp:]HOST:PORTS` to listen, `dns[:NAME]` to resolve names' -r
complete -c wrun -n "__fish_wrun_using_subcommand bench" -l config -d 'Set a configuration value of an Extism plug-in' -r
complete -c wrun -n "__fish_wrun_using_subcommand bench" -l policy -d 'Read limits and grants from a TOML file or an Extism manifest; options take precedence' -r -F
complete -c wrun -n "__fish_wrun_using_subcommand bench" -l input -d 'Format of arguments on standard input' -r -f -a "json\t''
msgpack\t''"
complete -c wrun -n "__fish_wrun_using_subcommand bench" -s o -l output -d 'Format of the report' -r -f -a "json\t''
msgpack\t''
text\t''"
complete -c wrun -n "__fish_wrun_using_subcommand bench" -l html -d 'Also write the report as a page for browsers' -r -F
complete -c wrun -n "__fish_wrun_using_subcommand bench" -l abi -d 'Convention by which a core module takes and returns text [default: none; extism for an Extism plug-in]' -r -f -a "packed\t''
cstr\t''
stdio\t''
extism\t''"
complete -c wrun -n "__fish_wrun_using_subcommand bench" -l payload -d 'How JSON and MessagePack represent the text: a string, a JSON value, or bytes [default: text]' -r -f -a "text\t''
json\t''
bytes\t''"
complete -c wrun -n "__fish_wrun_using_subcommand bench" -l alloc -d 'Exported function that allocates memory [default: one of the usual names]' -r
complete -c wrun -n "__fish_wrun_using_subcommand bench" -l free -d 'Exported function that frees memory; empty: free nothing [default: one of the usual names]' -r
complete -c wrun -n "__fish_wrun_using_subcommand bench" -l progress -d 'When to show progress on standard error; auto: on a terminal, after 300 ms' -r -f -a "auto\t''
always\t''
never\t''"
complete -c wrun -n "__fish_wrun_using_subcommand bench" -l log-format -d 'Format of log lines' -r -f -a "text\t''
json\t''"
complete -c wrun -n "__fish_wrun_using_subcommand bench" -l color -d 'When to color messages; auto honors `NO_COLOR`' -r -f -a "auto\t''
always\t''
never\t''"
complete -c wrun -n "__fish_wrun_using_subcommand bench" -l pretty -d 'Indent JSON; other formats ignore it'
complete -c wrun -n "__fish_wrun_using_subcommand bench" -s v -l verbose -d 'Log more to standard error (-vv: the engines too); `WRUN_LOG` takes a filter'
complete -c wrun -n "__fish_wrun_using_subcommand bench" -s q -l quiet -d 'Print only errors, without hints'
complete -c wrun -n "__fish_wrun_using_subcommand bench" -s h -l help -d 'Print help'
complete -c wrun -n "__fish_wrun_using_subcommand cache" -l max-size -d 'Size to prune the cache to [default: `WRUN_CACHE_SIZE`, or 1GiB]' -r
complete -c wrun -n "__fish_wrun_using_subcommand cache" -s o -l output -d 'Format of the report' -r -f -a "json\t''
msgpack\t''
text\t''"
complete -c wrun -n "__fish_wrun_using_subcommand cache" -l cache-dir -d 'Directory of the cache [default: `WRUN_CACHE_DIR`, or wrun in the XDG cache directory]' -r -f -a "(__fish_complete_directories)"
complete -c wrun -n "__fish_wrun_using_subcommand cache" -l log-format -d 'Format of log lines' -r -f -a "text\t''
json\t''"
complete -c wrun -n "__fish_wrun_using_subcommand cache" -l color -d 'When to color messages; auto honors `NO_COLOR`' -r -f -a "auto\t''
always\t''
never\t''"
complete -c wrun -n "__fish_wrun_using_subcommand cache" -l remove -d 'Remove the bad entries that verify finds'
complete -c wrun -n "__fish_wrun_using_subcommand cache" -l pretty -d 'Indent JSON; other formats ignore it'
complete -c wrun -n "__fish_wrun_using_subcommand cache" -s v -l verbose -d 'Log more to standard error (-vv: the engines too); `WRUN_LOG` takes a filter'
complete -c wrun -n "__fish_wrun_using_subcommand cache" -s q -l quiet -d 'Print only errors, without hints'
complete -c wrun -n "__fish_wrun_using_subcommand cache" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wrun -n "__fish_wrun_using_subcommand schema" -l log-format -d 'Format of log lines' -r -f -a "text\t''
json\t''"
complete -c wrun -n "__fish_wrun_using_subcommand schema" -l color -d 'When to color messages; auto honors `NO_COLOR`' -r -f -a "auto\t''
always\t''
never\t''"
complete -c wrun -n "__fish_wrun_using_subcommand schema" -s v -l verbose -d 'Log more to standard error (-vv: the engines too); `WRUN_LOG` takes a filter'
complete -c wrun -n "__fish_wrun_using_subcommand schema" -s q -l quiet -d 'Print only errors, without hints'
complete -c wrun -n "__fish_wrun_using_subcommand schema" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wrun -n "__fish_wrun_using_subcommand completions" -l log-format -d 'Format of log lines' -r -f -a "text\t''
json\t''"
complete -c wrun -n "__fish_wrun_using_subcommand completions" -l color -d 'When to color messages; auto honors `NO_COLOR`' -r -f -a "auto\t''
always\t''
never\t''"
complete -c wrun -n "__fish_wrun_using_subcommand completions" -s v -l verbose -d 'Log more to standard error (-vv: the engines too); `WRUN_LOG` takes a filter'
complete -c wrun -n "__fish_wrun_using_subcommand completions" -s q -l quiet -d 'Print only errors, without hints'
complete -c wrun -n "__fish_wrun_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'

function __fish_wrun_needs_command
    set -l words (commandline -opc)
    if contains -- "$words[2]" inspect engines compile batch diff bench cache schema completions
        echo $words[2]
        return 1
    end
end

function __fish_wrun_is_first
    test (count (commandline -opc)) -eq 1
end
