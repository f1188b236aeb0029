
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
            cand -r 'The engine [default: `WRUN_RUNTIME`, else wasmtime, or wasmer where that is the only one compiled in]'
            cand --runtime 'The engine [default: `WRUN_RUNTIME`, else wasmtime, or wasmer where that is the only one compiled in]'
            cand --compiler 'The engine''s compiler; singlepass is on wasmer'
            cand --opt 'What the compiler takes time for [default: speed]; singlepass optimises nothing'
            cand --deterministic 'Compute the same on every engine and machine: canonical NaNs, clocks from a fixed start in fixed steps, random bytes that follow from the seed [default seed: 0]'
            cand --memory 'The most linear memory, all memories together, with a unit: 64MiB, 1GB'
            cand --stack 'The most guest stack, with a unit, 64KiB to 1GiB [default: 1MiB]'
            cand --table-elements 'The most elements in each table'
            cand --timeout 'The most wall clock, from reading the module to the result, with a unit: 500ms, 1.5s, 2m'
            cand --fuel 'The most portable fuel, about one unit an operator: 500000, 10M, 2G'
            cand --dir 'Grant a folder, by its own path or as GUEST; `::ro` makes it read-only'
            cand --env 'Grant an environment variable; without a value, a copy of wrun''s own'
            cand --net 'Grant network to a WASIX program on wasmer: reach 127.0.0.1:80, tcp:10.0.0.0/8:*, example.org:443; listen at in:tcp:127.0.0.1:8080; look up dns:example.org'
            cand --policy 'Limits and grants from a TOML file; flags win over it'
            cand --cache-dir 'Where compiled code is kept [default: `WRUN_CACHE_DIR`, else wrun in the XDG cache folder]'
            cand --input 'How arguments on standard input are written'
            cand -o 'How results are written [default: json; of --explain: text]'
            cand --output 'How results are written [default: json; of --explain: text]'
            cand --progress 'When to show progress on standard error: auto is on a terminal, after 300 ms'
            cand --log-format 'How log lines are written'
            cand --color 'When to colour messages; auto honours `NO_COLOR`'
            cand --explain 'Tell what would be in force and where it comes from, and run nothing'
            cand --no-cache 'Neither use compiled code that was kept nor keep any'
            cand --pretty 'Indent JSON'
            cand --metrics 'Print the envelope (result or error, exit code, times, memory) instead of the bare result'
            cand --capture 'Put the guest''s standard output and error into the envelope'
            cand -v 'Say more on standard error (-vv: the engines too); `WRUN_LOG` takes a filter'
            cand --verbose 'Say more on standard error (-vv: the engines too); `WRUN_LOG` takes a filter'
            cand -q 'Say only what failed, without hints'
            cand --quiet 'Say only what failed, without hints'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand inspect 'Tell what a module is and needs, without running it'
            cand engines 'Tell which engines are compiled in, and what each can do'
            cand compile 'Compile modules into the cache, so that they start at once later'
            cand cache 'Look at the cache of compiled code, or tidy it'
            cand completions 'Print a completion script for a shell'
        }
        &'wrun;inspect'= {
            cand -o 'How it is written'
            cand --output 'How it is written'
            cand --log-format 'How log lines are written'
            cand --color 'When to colour messages; auto honours `NO_COLOR`'
            cand --pretty 'Indent JSON'
            cand -v 'Say more on standard error (-vv: the engines too); `WRUN_LOG` takes a filter'
            cand --verbose 'Say more on standard error (-vv: the engines too); `WRUN_LOG` takes a filter'
            cand -q 'Say only what failed, without hints'
            cand --quiet 'Say only what failed, without hints'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'wrun;engines'= {
            cand -o 'How it is written'
            cand --output 'How it is written'
            cand --log-format 'How log lines are written'
            cand --color 'When to colour messages; auto honours `NO_COLOR`'
            cand --pretty 'Indent JSON'
            cand -v 'Say more on standard error (-vv: the engines too); `WRUN_LOG` takes a filter'
            cand --verbose 'Say more on standard error (-vv: the engines too); `WRUN_LOG` takes a filter'
            cand -q 'Say only what failed, without hints'
            cand --quiet 'Say only what failed, without hints'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'wrun;compile'= {
            cand -r 'The engine [default: `WRUN_RUNTIME`, else wasmtime, or wasmer where that is the only one compiled in]'
            cand --runtime 'The engine [default: `WRUN_RUNTIME`, else wasmtime, or wasmer where that is the only one compiled in]'
            cand --compiler 'The engine''s compiler; singlepass is on wasmer'
            cand --opt 'What the compiler takes time for [default: speed]; singlepass optimises nothing'
            cand --deterministic 'Compute the same on every engine and machine: canonical NaNs, clocks from a fixed start in fixed steps, random bytes that follow from the seed [default seed: 0]'
            cand --fuel 'For runs with --fuel: what they are given plays no part'
            cand --timeout 'For runs with --timeout: how long they may take plays no part'
            cand --policy 'For runs with this policy file'
            cand --cache-dir 'Where compiled code is kept [default: `WRUN_CACHE_DIR`, else wrun in the XDG cache folder]'
            cand -o 'How it is written'
            cand --output 'How it is written'
            cand --progress 'When to show progress on standard error: auto is on a terminal, after 300 ms'
            cand --log-format 'How log lines are written'
            cand --color 'When to colour messages; auto honours `NO_COLOR`'
            cand --pretty 'Indent JSON'
            cand -v 'Say more on standard error (-vv: the engines too); `WRUN_LOG` takes a filter'
            cand --verbose 'Say more on standard error (-vv: the engines too); `WRUN_LOG` takes a filter'
            cand -q 'Say only what failed, without hints'
            cand --quiet 'Say only what failed, without hints'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'wrun;cache'= {
            cand --max-size 'What to prune to [default: `WRUN_CACHE_SIZE`, else 1GiB]'
            cand --cache-dir 'Where compiled code is kept [default: `WRUN_CACHE_DIR`, else wrun in the XDG cache folder]'
            cand -o 'How it is written'
            cand --output 'How it is written'
            cand --log-format 'How log lines are written'
            cand --color 'When to colour messages; auto honours `NO_COLOR`'
            cand --remove 'Remove what verify finds to be bad'
            cand --pretty 'Indent JSON'
            cand -v 'Say more on standard error (-vv: the engines too); `WRUN_LOG` takes a filter'
            cand --verbose 'Say more on standard error (-vv: the engines too); `WRUN_LOG` takes a filter'
            cand -q 'Say only what failed, without hints'
            cand --quiet 'Say only what failed, without hints'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'wrun;completions'= {
            cand --log-format 'How log lines are written'
            cand --color 'When to colour messages; auto honours `NO_COLOR`'
            cand -v 'Say more on standard error (-vv: the engines too); `WRUN_LOG` takes a filter'
            cand --verbose 'Say more on standard error (-vv: the engines too); `WRUN_LOG` takes a filter'
            cand -q 'Say only what failed, without hints'
            cand --quiet 'Say only what failed, without hints'
            cand -h 'Print help'
            cand --help 'Print help'
        }
    ]
    $completions[$command]
}
