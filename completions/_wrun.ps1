
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'wrun' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'wrun'
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
        'wrun' {
            [CompletionResult]::new('--function', '--function', [CompletionResultType]::ParameterName, 'Exported function to call, if its name looks like an option, as in `--function=-x`; all words after MODULE are then ARGS')
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'Engine to use [default: `WRUN_RUNTIME`, or the first engine compiled in]')
            [CompletionResult]::new('--runtime', '--runtime', [CompletionResultType]::ParameterName, 'Engine to use [default: `WRUN_RUNTIME`, or the first engine compiled in]')
            [CompletionResult]::new('--compiler', '--compiler', [CompletionResultType]::ParameterName, 'Compiler of the engine; singlepass needs wasmer [default: cranelift]')
            [CompletionResult]::new('--opt', '--opt', [CompletionResultType]::ParameterName, 'Optimization level of cranelift [default: speed]')
            [CompletionResult]::new('--deterministic', '--deterministic', [CompletionResultType]::ParameterName, 'Make runs reproducible: fixed clocks, canonical NaNs, random bytes from SEED [default seed: 0]')
            [CompletionResult]::new('--memory', '--memory', [CompletionResultType]::ParameterName, 'Maximum linear memory, all memories together, such as 64MiB or 1GB')
            [CompletionResult]::new('--stack', '--stack', [CompletionResultType]::ParameterName, 'Maximum guest stack, from 64KiB to 1GiB [default: 1MiB]')
            [CompletionResult]::new('--table-elements', '--table-elements', [CompletionResultType]::ParameterName, 'Maximum number of elements in each table, and in all tables of a component together')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Maximum time from reading the module to the result, such as 500ms, 1.5s or 2m')
            [CompletionResult]::new('--fuel', '--fuel', [CompletionResultType]::ParameterName, 'Maximum fuel, about one unit per operator, such as 500000, 10M or 2G')
            [CompletionResult]::new('--dir', '--dir', [CompletionResultType]::ParameterName, 'Grant a directory, under its own path or as GUEST; `::ro` makes it read-only')
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'Grant an environment variable; without VALUE, copy it from wrun''s environment')
            [CompletionResult]::new('--net', '--net', [CompletionResultType]::ParameterName, 'Grant network access to a component or a WASIX program: `[tcp:|udp:]HOST:PORTS` to connect, `in:[tcp:|udp:]HOST:PORTS` to listen, `dns[:NAME]` to resolve names')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Set a configuration value of an Extism plug-in')
            [CompletionResult]::new('--policy', '--policy', [CompletionResultType]::ParameterName, 'Read limits and grants from a TOML file or an Extism manifest; options take precedence')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Directory of the cache [default: `WRUN_CACHE_DIR`, or wrun in the XDG cache directory]')
            [CompletionResult]::new('--input', '--input', [CompletionResultType]::ParameterName, 'Format of arguments on standard input')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Format of results; raw: the bytes of a string or a list of bytes [default: json; with --explain: text]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Format of results; raw: the bytes of a string or a list of bytes [default: json; with --explain: text]')
            [CompletionResult]::new('--abi', '--abi', [CompletionResultType]::ParameterName, 'Convention by which a core module takes and returns text [default: none; extism for an Extism plug-in]')
            [CompletionResult]::new('--payload', '--payload', [CompletionResultType]::ParameterName, 'How JSON and MessagePack represent the text: a string, a JSON value, or bytes [default: text]')
            [CompletionResult]::new('--alloc', '--alloc', [CompletionResultType]::ParameterName, 'Exported function that allocates memory [default: one of the usual names]')
            [CompletionResult]::new('--free', '--free', [CompletionResultType]::ParameterName, 'Exported function that frees memory; empty: free nothing [default: one of the usual names]')
            [CompletionResult]::new('--capture', '--capture', [CompletionResultType]::ParameterName, 'Include the guest''s standard output and error in the envelope, up to SIZE each [default size: 64MiB]')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show progress on standard error; auto: on a terminal, after 300 ms')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Format of log lines')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to color messages; auto honors `NO_COLOR`')
            [CompletionResult]::new('--no-cache', '--no-cache', [CompletionResultType]::ParameterName, 'Neither read nor write the cache of compiled code')
            [CompletionResult]::new('--pretty', '--pretty', [CompletionResultType]::ParameterName, 'Indent JSON')
            [CompletionResult]::new('--metrics', '--metrics', [CompletionResultType]::ParameterName, 'Print the envelope (result or error, exit code, times, memory) instead of the bare result')
            [CompletionResult]::new('--explain', '--explain', [CompletionResultType]::ParameterName, 'Print the engine, limits and grants in force, and where each comes from; run nothing')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more to standard error (-vv: the engines too); `WRUN_LOG` takes a filter')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more to standard error (-vv: the engines too); `WRUN_LOG` takes a filter')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only errors, without hints')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only errors, without hints')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('inspect', 'inspect', [CompletionResultType]::ParameterValue, 'Show the contents and requirements of a module or component, without running it')
            [CompletionResult]::new('engines', 'engines', [CompletionResultType]::ParameterValue, 'List the engines and what each can do')
            [CompletionResult]::new('compile', 'compile', [CompletionResultType]::ParameterValue, 'Compile modules and components into the cache')
            [CompletionResult]::new('batch', 'batch', [CompletionResultType]::ParameterValue, 'Call a function with each record of standard input')
            [CompletionResult]::new('diff', 'diff', [CompletionResultType]::ParameterValue, 'Run a call or a program on several engines, and report what differs')
            [CompletionResult]::new('cache', 'cache', [CompletionResultType]::ParameterValue, 'Inspect or clean the cache of compiled code')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a completion script for a shell')
            break
        }
        'wrun;inspect' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Format of the report')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Format of the report')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Format of log lines')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to color messages; auto honors `NO_COLOR`')
            [CompletionResult]::new('--pretty', '--pretty', [CompletionResultType]::ParameterName, 'Indent JSON')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more to standard error (-vv: the engines too); `WRUN_LOG` takes a filter')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more to standard error (-vv: the engines too); `WRUN_LOG` takes a filter')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only errors, without hints')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only errors, without hints')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'wrun;engines' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Format of the table')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Format of the table')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Format of log lines')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to color messages; auto honors `NO_COLOR`')
            [CompletionResult]::new('--pretty', '--pretty', [CompletionResultType]::ParameterName, 'Indent JSON')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more to standard error (-vv: the engines too); `WRUN_LOG` takes a filter')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more to standard error (-vv: the engines too); `WRUN_LOG` takes a filter')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only errors, without hints')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only errors, without hints')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'wrun;compile' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Format of the report')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Format of the report')
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'Engine to use [default: `WRUN_RUNTIME`, or the first engine compiled in]')
            [CompletionResult]::new('--runtime', '--runtime', [CompletionResultType]::ParameterName, 'Engine to use [default: `WRUN_RUNTIME`, or the first engine compiled in]')
            [CompletionResult]::new('--compiler', '--compiler', [CompletionResultType]::ParameterName, 'Compiler of the engine; singlepass needs wasmer [default: cranelift]')
            [CompletionResult]::new('--opt', '--opt', [CompletionResultType]::ParameterName, 'Optimization level of cranelift [default: speed]')
            [CompletionResult]::new('--deterministic', '--deterministic', [CompletionResultType]::ParameterName, 'Make runs reproducible: fixed clocks, canonical NaNs, random bytes from SEED [default seed: 0]')
            [CompletionResult]::new('--fuel', '--fuel', [CompletionResultType]::ParameterName, 'Compile for runs with --fuel, of any amount')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Compile for runs with --timeout, of any duration')
            [CompletionResult]::new('--policy', '--policy', [CompletionResultType]::ParameterName, 'Read limits and grants from a TOML file or an Extism manifest; options take precedence')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Directory of the cache [default: `WRUN_CACHE_DIR`, or wrun in the XDG cache directory]')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show progress on standard error; auto: on a terminal, after 300 ms')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Format of log lines')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to color messages; auto honors `NO_COLOR`')
            [CompletionResult]::new('--pretty', '--pretty', [CompletionResultType]::ParameterName, 'Indent JSON')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more to standard error (-vv: the engines too); `WRUN_LOG` takes a filter')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more to standard error (-vv: the engines too); `WRUN_LOG` takes a filter')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only errors, without hints')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only errors, without hints')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'wrun;batch' {
            [CompletionResult]::new('--function', '--function', [CompletionResultType]::ParameterName, 'Exported function to call, if its name looks like an option')
            [CompletionResult]::new('--on-error', '--on-error', [CompletionResultType]::ParameterName, 'What to write if a record fails: an error, nothing, or the record itself; `fail` stops the batch [default: emit]')
            [CompletionResult]::new('--errors', '--errors', [CompletionResultType]::ParameterName, 'Write the errors of records to a file, as one JSON object per line')
            [CompletionResult]::new('--jobs', '--jobs', [CompletionResultType]::ParameterName, 'Number of records processed at a time [default: number of available cores]')
            [CompletionResult]::new('--instance', '--instance', [CompletionResultType]::ParameterName, 'Run all calls of a job in one instance, or each call in a new one [default: shared]')
            [CompletionResult]::new('--input', '--input', [CompletionResultType]::ParameterName, 'Format of the records [default: json]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Format of the results [default: json]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Format of the results [default: json]')
            [CompletionResult]::new('--columns', '--columns', [CompletionResultType]::ParameterName, 'Columns of the arguments, by name, or by position from 1 with --no-header [default: by the names of the parameters, else all columns in order]')
            [CompletionResult]::new('--max-record', '--max-record', [CompletionResultType]::ParameterName, 'Maximum length of a record [default: 16MiB]')
            [CompletionResult]::new('--metrics', '--metrics', [CompletionResultType]::ParameterName, 'Write the metrics of the batch to a file, as MessagePack if its name ends in `.msgpack`, else as JSON')
            [CompletionResult]::new('--abi', '--abi', [CompletionResultType]::ParameterName, 'Convention by which a core module takes and returns text [default: none; extism for an Extism plug-in]')
            [CompletionResult]::new('--payload', '--payload', [CompletionResultType]::ParameterName, 'How JSON and MessagePack represent the text: a string, a JSON value, or bytes [default: text]')
            [CompletionResult]::new('--alloc', '--alloc', [CompletionResultType]::ParameterName, 'Exported function that allocates memory [default: one of the usual names]')
            [CompletionResult]::new('--free', '--free', [CompletionResultType]::ParameterName, 'Exported function that frees memory; empty: free nothing [default: one of the usual names]')
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'Engine to use [default: `WRUN_RUNTIME`, or the first engine compiled in]')
            [CompletionResult]::new('--runtime', '--runtime', [CompletionResultType]::ParameterName, 'Engine to use [default: `WRUN_RUNTIME`, or the first engine compiled in]')
            [CompletionResult]::new('--compiler', '--compiler', [CompletionResultType]::ParameterName, 'Compiler of the engine; singlepass needs wasmer [default: cranelift]')
            [CompletionResult]::new('--opt', '--opt', [CompletionResultType]::ParameterName, 'Optimization level of cranelift [default: speed]')
            [CompletionResult]::new('--deterministic', '--deterministic', [CompletionResultType]::ParameterName, 'Make runs reproducible: fixed clocks, canonical NaNs, random bytes from SEED [default seed: 0]')
            [CompletionResult]::new('--memory', '--memory', [CompletionResultType]::ParameterName, 'Maximum linear memory, all memories together, such as 64MiB or 1GB')
            [CompletionResult]::new('--stack', '--stack', [CompletionResultType]::ParameterName, 'Maximum guest stack, from 64KiB to 1GiB [default: 1MiB]')
            [CompletionResult]::new('--table-elements', '--table-elements', [CompletionResultType]::ParameterName, 'Maximum number of elements in each table, and in all tables of a component together')
            [CompletionResult]::new('--dir', '--dir', [CompletionResultType]::ParameterName, 'Grant a directory, under its own path or as GUEST; `::ro` makes it read-only')
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'Grant an environment variable; without VALUE, copy it from wrun''s environment')
            [CompletionResult]::new('--net', '--net', [CompletionResultType]::ParameterName, 'Grant network access to a component or a WASIX program: `[tcp:|udp:]HOST:PORTS` to connect, `in:[tcp:|udp:]HOST:PORTS` to listen, `dns[:NAME]` to resolve names')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Set a configuration value of an Extism plug-in')
            [CompletionResult]::new('--policy', '--policy', [CompletionResultType]::ParameterName, 'Read limits and grants from a TOML file or an Extism manifest; options take precedence')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Directory of the cache [default: `WRUN_CACHE_DIR`, or wrun in the XDG cache directory]')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show progress on standard error; auto: on a terminal, after 300 ms')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Format of log lines')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to color messages; auto honors `NO_COLOR`')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Maximum time of each call, such as 500ms, 1.5s or 2m')
            [CompletionResult]::new('--fuel', '--fuel', [CompletionResultType]::ParameterName, 'Maximum fuel of each call, about one unit per operator, such as 500000, 10M or 2G')
            [CompletionResult]::new('--unordered', '--unordered', [CompletionResultType]::ParameterName, 'Write each result as soon as its call ends, not in input order')
            [CompletionResult]::new('--no-header', '--no-header', [CompletionResultType]::ParameterName, 'Treat the first row of CSV as a record')
            [CompletionResult]::new('--explain', '--explain', [CompletionResultType]::ParameterName, 'Print the engine, limits, grants and options in force, and where each comes from; run nothing')
            [CompletionResult]::new('--no-cache', '--no-cache', [CompletionResultType]::ParameterName, 'Neither read nor write the cache of compiled code')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more to standard error (-vv: the engines too); `WRUN_LOG` takes a filter')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more to standard error (-vv: the engines too); `WRUN_LOG` takes a filter')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only errors, without hints')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only errors, without hints')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'wrun;diff' {
            [CompletionResult]::new('--function', '--function', [CompletionResultType]::ParameterName, 'Exported function to call, if its name looks like an option; all words after MODULE are then ARGS')
            [CompletionResult]::new('--input', '--input', [CompletionResultType]::ParameterName, 'Format of arguments on standard input')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Format of the report')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Format of the report')
            [CompletionResult]::new('--repro', '--repro', [CompletionResultType]::ParameterName, 'Write the module, standard input, the report and a script that repeats the comparison to a new directory')
            [CompletionResult]::new('--memory', '--memory', [CompletionResultType]::ParameterName, 'Maximum linear memory, all memories together, such as 64MiB or 1GB')
            [CompletionResult]::new('--stack', '--stack', [CompletionResultType]::ParameterName, 'Maximum guest stack, from 64KiB to 1GiB [default: 1MiB]')
            [CompletionResult]::new('--table-elements', '--table-elements', [CompletionResultType]::ParameterName, 'Maximum number of elements in each table, and in all tables of a component together')
            [CompletionResult]::new('--dir', '--dir', [CompletionResultType]::ParameterName, 'Grant a directory, under its own path or as GUEST; `::ro` makes it read-only')
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'Grant an environment variable; without VALUE, copy it from wrun''s environment')
            [CompletionResult]::new('--net', '--net', [CompletionResultType]::ParameterName, 'Grant network access to a component or a WASIX program: `[tcp:|udp:]HOST:PORTS` to connect, `in:[tcp:|udp:]HOST:PORTS` to listen, `dns[:NAME]` to resolve names')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Set a configuration value of an Extism plug-in')
            [CompletionResult]::new('--policy', '--policy', [CompletionResultType]::ParameterName, 'Read limits and grants from a TOML file or an Extism manifest; options take precedence')
            [CompletionResult]::new('--abi', '--abi', [CompletionResultType]::ParameterName, 'Convention by which a core module takes and returns text [default: none; extism for an Extism plug-in]')
            [CompletionResult]::new('--payload', '--payload', [CompletionResultType]::ParameterName, 'How JSON and MessagePack represent the text: a string, a JSON value, or bytes [default: text]')
            [CompletionResult]::new('--alloc', '--alloc', [CompletionResultType]::ParameterName, 'Exported function that allocates memory [default: one of the usual names]')
            [CompletionResult]::new('--free', '--free', [CompletionResultType]::ParameterName, 'Exported function that frees memory; empty: free nothing [default: one of the usual names]')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show progress on standard error; auto: on a terminal, after 300 ms')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Format of log lines')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to color messages; auto honors `NO_COLOR`')
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'Compare only this engine')
            [CompletionResult]::new('--runtime', '--runtime', [CompletionResultType]::ParameterName, 'Compare only this engine')
            [CompletionResult]::new('--compiler', '--compiler', [CompletionResultType]::ParameterName, 'Compare only this compiler')
            [CompletionResult]::new('--opt', '--opt', [CompletionResultType]::ParameterName, 'Compare only this optimization level of cranelift; singlepass has none')
            [CompletionResult]::new('--deterministic', '--deterministic', [CompletionResultType]::ParameterName, 'Seed of random bytes; clocks and NaNs are always deterministic [default: 0]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Maximum time of each run, such as 500ms, 1.5s or 2m')
            [CompletionResult]::new('--fuel', '--fuel', [CompletionResultType]::ParameterName, 'Maximum fuel of each run, about one unit per operator, such as 500000, 10M or 2G')
            [CompletionResult]::new('--pretty', '--pretty', [CompletionResultType]::ParameterName, 'Indent JSON')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more to standard error (-vv: the engines too); `WRUN_LOG` takes a filter')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more to standard error (-vv: the engines too); `WRUN_LOG` takes a filter')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only errors, without hints')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only errors, without hints')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'wrun;cache' {
            [CompletionResult]::new('--max-size', '--max-size', [CompletionResultType]::ParameterName, 'Size to prune the cache to [default: `WRUN_CACHE_SIZE`, or 1GiB]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Format of the report')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Format of the report')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Directory of the cache [default: `WRUN_CACHE_DIR`, or wrun in the XDG cache directory]')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Format of log lines')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to color messages; auto honors `NO_COLOR`')
            [CompletionResult]::new('--remove', '--remove', [CompletionResultType]::ParameterName, 'Remove the bad entries that verify finds')
            [CompletionResult]::new('--pretty', '--pretty', [CompletionResultType]::ParameterName, 'Indent JSON')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more to standard error (-vv: the engines too); `WRUN_LOG` takes a filter')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more to standard error (-vv: the engines too); `WRUN_LOG` takes a filter')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only errors, without hints')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only errors, without hints')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'wrun;completions' {
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Format of log lines')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to color messages; auto honors `NO_COLOR`')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more to standard error (-vv: the engines too); `WRUN_LOG` takes a filter')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more to standard error (-vv: the engines too); `WRUN_LOG` takes a filter')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only errors, without hints')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only errors, without hints')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
