
use builtin;
use str;

set edit:completion:arg-completer[wrun] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'wrun'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'wrun'= {
            cand --function 'Exported function to call, if its name looks like an option, as in `--function=-x`; all words after MODULE are then ARGS'
            cand -r 'Engine to use [default: `WRUN_RUNTIME`, or the first engine compiled in]'
            cand --runtime 'Engine to use [default: `WRUN_RUNTIME`, or the first engine compiled in]'
            cand --compiler 'Compiler of the engine; singlepass needs wasmer [default: cranelift]'
            cand --opt 'Optimization level of cranelift [default: speed]'
            cand --deterministic 'Make runs reproducible: fixed clocks, canonical NaNs, random bytes from SEED [default seed: 0]'
            cand --memory 'Maximum linear memory, all memories together, such as 64MiB or 1GB'
            cand --stack 'Maximum guest stack, from 64KiB to 1GiB [default: 1MiB]'
            cand --table-elements 'Maximum number of elements in each table, and in all tables of a component together'
            cand --timeout 'Maximum time from reading the module to the result, such as 500ms, 1.5s or 2m'
            cand --fuel 'Maximum fuel, about one unit per operator, such as 500000, 10M or 2G'
            cand --dir 'Grant a directory, under its own path or as GUEST; `::ro` makes it read-only'
            cand --env 'Grant an environment variable; without VALUE, copy it from wrun''s environment'
            cand --net 'Grant network access to a component or a WASIX program: `[tcp:|udp:]HOST:PORTS` to connect, `in:[tcp:|udp:]HOST:PORTS` to listen, `dns[:NAME]` to resolve names'
            cand --policy 'Read limits and grants from a TOML file; options take precedence'
            cand --cache-dir 'Directory of the cache [default: `WRUN_CACHE_DIR`, or wrun in the XDG cache directory]'
            cand --input 'Format of arguments on standard input'
            cand -o 'Format of results [default: json; with --explain: text]'
            cand --output 'Format of results [default: json; with --explain: text]'
            cand --capture 'Include the guest''s standard output and error in the envelope, up to SIZE each [default size: 64MiB]'
            cand --progress 'When to show progress on standard error; auto: on a terminal, after 300 ms'
            cand --log-format 'Format of log lines'
            cand --color 'When to color messages; auto honors `NO_COLOR`'
            cand --no-cache 'Neither read nor write the cache of compiled code'
            cand --pretty 'Indent JSON'
            cand --metrics 'Print the envelope (result or error, exit code, times, memory) instead of the bare result'
            cand --explain 'Print the engine, limits and grants in force, and where each comes from; run nothing'
            cand -v 'Log more to standard error (-vv: the engines too); `WRUN_LOG` takes a filter'
            cand --verbose 'Log more to standard error (-vv: the engines too); `WRUN_LOG` takes a filter'
            cand -q 'Print only errors, without hints'
            cand --quiet 'Print only errors, without hints'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand inspect 'Show the contents and requirements of a module or component, without running it'
            cand engines 'List the engines and what each can do'
            cand compile 'Compile modules and components into the cache'
            cand cache 'Inspect or clean the cache of compiled code'
            cand completions 'Print a completion script for a shell'
        }
        &'wrun;inspect'= {
            cand -o 'Format of the report'
            cand --output 'Format of the report'
            cand --log-format 'Format of log lines'
            cand --color 'When to color messages; auto honors `NO_COLOR`'
            cand --pretty 'Indent JSON'
            cand -v 'Log more to standard error (-vv: the engines too); `WRUN_LOG` takes a filter'
            cand --verbose 'Log more to standard error (-vv: the engines too); `WRUN_LOG` takes a filter'
            cand -q 'Print only errors, without hints'
            cand --quiet 'Print only errors, without hints'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'wrun;engines'= {
            cand -o 'Format of the table'
            cand --output 'Format of the table'
            cand --log-format 'Format of log lines'
            cand --color 'When to color messages; auto honors `NO_COLOR`'
            cand --pretty 'Indent JSON'
            cand -v 'Log more to standard error (-vv: the engines too); `WRUN_LOG` takes a filter'
            cand --verbose 'Log more to standard error (-vv: the engines too); `WRUN_LOG` takes a filter'
            cand -q 'Print only errors, without hints'
            cand --quiet 'Print only errors, without hints'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'wrun;compile'= {
            cand -o 'Format of the report'
            cand --output 'Format of the report'
            cand -r 'Engine to use [default: `WRUN_RUNTIME`, or the first engine compiled in]'
            cand --runtime 'Engine to use [default: `WRUN_RUNTIME`, or the first engine compiled in]'
            cand --compiler 'Compiler of the engine; singlepass needs wasmer [default: cranelift]'
            cand --opt 'Optimization level of cranelift [default: speed]'
            cand --deterministic 'Make runs reproducible: fixed clocks, canonical NaNs, random bytes from SEED [default seed: 0]'
            cand --fuel 'Compile for runs with --fuel, of any amount'
            cand --timeout 'Compile for runs with --timeout, of any duration'
            cand --policy 'Read limits and grants from a TOML file; options take precedence'
            cand --cache-dir 'Directory of the cache [default: `WRUN_CACHE_DIR`, or wrun in the XDG cache directory]'
            cand --progress 'When to show progress on standard error; auto: on a terminal, after 300 ms'
            cand --log-format 'Format of log lines'
            cand --color 'When to color messages; auto honors `NO_COLOR`'
            cand --pretty 'Indent JSON'
            cand -v 'Log more to standard error (-vv: the engines too); `WRUN_LOG` takes a filter'
            cand --verbose 'Log more to standard error (-vv: the engines too); `WRUN_LOG` takes a filter'
            cand -q 'Print only errors, without hints'
            cand --quiet 'Print only errors, without hints'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'wrun;cache'= {
            cand --max-size 'Size to prune the cache to [default: `WRUN_CACHE_SIZE`, or 1GiB]'
            cand -o 'Format of the report'
            cand --output 'Format of the report'
            cand --cache-dir 'Directory of the cache [default: `WRUN_CACHE_DIR`, or wrun in the XDG cache directory]'
            cand --log-format 'Format of log lines'
            cand --color 'When to color messages; auto honors `NO_COLOR`'
            cand --remove 'Remove the bad entries that verify finds'
            cand --pretty 'Indent JSON'
            cand -v 'Log more to standard error (-vv: the engines too); `WRUN_LOG` takes a filter'
            cand --verbose 'Log more to standard error (-vv: the engines too); `WRUN_LOG` takes a filter'
            cand -q 'Print only errors, without hints'
            cand --quiet 'Print only errors, without hints'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'wrun;completions'= {
            cand --log-format 'Format of log lines'
            cand --color 'When to color messages; auto honors `NO_COLOR`'
            cand -v 'Log more to standard error (-vv: the engines too); `WRUN_LOG` takes a filter'
            cand --verbose 'Log more to standard error (-vv: the engines too); `WRUN_LOG` takes a filter'
            cand -q 'Print only errors, without hints'
            cand --quiet 'Print only errors, without hints'
            cand -h 'Print help'
            cand --help 'Print help'
        }
    ]
    $completions[$command]
}
