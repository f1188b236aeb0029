
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
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'The engine [default: `WRUN_RUNTIME`, else wasmtime, or wasmer where that is the only one compiled in]')
            [CompletionResult]::new('--runtime', '--runtime', [CompletionResultType]::ParameterName, 'The engine [default: `WRUN_RUNTIME`, else wasmtime, or wasmer where that is the only one compiled in]')
            [CompletionResult]::new('--compiler', '--compiler', [CompletionResultType]::ParameterName, 'The engine''s compiler; singlepass is on wasmer')
            [CompletionResult]::new('--opt', '--opt', [CompletionResultType]::ParameterName, 'What the compiler takes time for [default: speed]; singlepass optimises nothing')
            [CompletionResult]::new('--deterministic', '--deterministic', [CompletionResultType]::ParameterName, 'Compute the same on every engine and machine: canonical NaNs, clocks from a fixed start in fixed steps, random bytes that follow from the seed [default seed: 0]')
            [CompletionResult]::new('--memory', '--memory', [CompletionResultType]::ParameterName, 'The most linear memory, all memories together, with a unit: 64MiB, 1GB')
            [CompletionResult]::new('--stack', '--stack', [CompletionResultType]::ParameterName, 'The most guest stack, with a unit, 64KiB to 1GiB [default: 1MiB]')
            [CompletionResult]::new('--table-elements', '--table-elements', [CompletionResultType]::ParameterName, 'The most elements in each table')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'The most wall clock, from reading the module to the result, with a unit: 500ms, 1.5s, 2m')
            [CompletionResult]::new('--fuel', '--fuel', [CompletionResultType]::ParameterName, 'The most portable fuel, about one unit an operator: 500000, 10M, 2G')
            [CompletionResult]::new('--dir', '--dir', [CompletionResultType]::ParameterName, 'Grant a folder, by its own path or as GUEST; `::ro` makes it read-only')
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'Grant an environment variable; without a value, a copy of wrun''s own')
            [CompletionResult]::new('--net', '--net', [CompletionResultType]::ParameterName, 'Grant network to a WASIX program on wasmer: reach 127.0.0.1:80, tcp:10.0.0.0/8:*, example.org:443; listen at in:tcp:127.0.0.1:8080; look up dns:example.org')
            [CompletionResult]::new('--policy', '--policy', [CompletionResultType]::ParameterName, 'Limits and grants from a TOML file; flags win over it')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Where compiled code is kept [default: `WRUN_CACHE_DIR`, else wrun in the XDG cache folder]')
            [CompletionResult]::new('--input', '--input', [CompletionResultType]::ParameterName, 'How arguments on standard input are written')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How results are written [default: json; of --explain: text]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How results are written [default: json; of --explain: text]')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show progress on standard error: auto is on a terminal, after 300 ms')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'How log lines are written')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour messages; auto honours `NO_COLOR`')
            [CompletionResult]::new('--explain', '--explain', [CompletionResultType]::ParameterName, 'Tell what would be in force and where it comes from, and run nothing')
            [CompletionResult]::new('--no-cache', '--no-cache', [CompletionResultType]::ParameterName, 'Neither use compiled code that was kept nor keep any')
            [CompletionResult]::new('--pretty', '--pretty', [CompletionResultType]::ParameterName, 'Indent JSON')
            [CompletionResult]::new('--metrics', '--metrics', [CompletionResultType]::ParameterName, 'Print the envelope (result or error, exit code, times, memory) instead of the bare result')
            [CompletionResult]::new('--capture', '--capture', [CompletionResultType]::ParameterName, 'Put the guest''s standard output and error into the envelope')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error (-vv: the engines too); `WRUN_LOG` takes a filter')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error (-vv: the engines too); `WRUN_LOG` takes a filter')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what failed, without hints')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what failed, without hints')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('inspect', 'inspect', [CompletionResultType]::ParameterValue, 'Tell what a module is and needs, without running it')
            [CompletionResult]::new('engines', 'engines', [CompletionResultType]::ParameterValue, 'Tell which engines are compiled in, and what each can do')
            [CompletionResult]::new('compile', 'compile', [CompletionResultType]::ParameterValue, 'Compile modules into the cache, so that they start at once later')
            [CompletionResult]::new('cache', 'cache', [CompletionResultType]::ParameterValue, 'Look at the cache of compiled code, or tidy it')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a completion script for a shell')
            break
        }
        'wrun;inspect' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How it is written')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How it is written')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'How log lines are written')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour messages; auto honours `NO_COLOR`')
            [CompletionResult]::new('--pretty', '--pretty', [CompletionResultType]::ParameterName, 'Indent JSON')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error (-vv: the engines too); `WRUN_LOG` takes a filter')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error (-vv: the engines too); `WRUN_LOG` takes a filter')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what failed, without hints')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what failed, without hints')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'wrun;engines' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How it is written')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How it is written')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'How log lines are written')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour messages; auto honours `NO_COLOR`')
            [CompletionResult]::new('--pretty', '--pretty', [CompletionResultType]::ParameterName, 'Indent JSON')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error (-vv: the engines too); `WRUN_LOG` takes a filter')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error (-vv: the engines too); `WRUN_LOG` takes a filter')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what failed, without hints')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what failed, without hints')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'wrun;compile' {
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'The engine [default: `WRUN_RUNTIME`, else wasmtime, or wasmer where that is the only one compiled in]')
            [CompletionResult]::new('--runtime', '--runtime', [CompletionResultType]::ParameterName, 'The engine [default: `WRUN_RUNTIME`, else wasmtime, or wasmer where that is the only one compiled in]')
            [CompletionResult]::new('--compiler', '--compiler', [CompletionResultType]::ParameterName, 'The engine''s compiler; singlepass is on wasmer')
            [CompletionResult]::new('--opt', '--opt', [CompletionResultType]::ParameterName, 'What the compiler takes time for [default: speed]; singlepass optimises nothing')
            [CompletionResult]::new('--deterministic', '--deterministic', [CompletionResultType]::ParameterName, 'Compute the same on every engine and machine: canonical NaNs, clocks from a fixed start in fixed steps, random bytes that follow from the seed [default seed: 0]')
            [CompletionResult]::new('--fuel', '--fuel', [CompletionResultType]::ParameterName, 'For runs with --fuel: what they are given plays no part')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'For runs with --timeout: how long they may take plays no part')
            [CompletionResult]::new('--policy', '--policy', [CompletionResultType]::ParameterName, 'For runs with this policy file')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Where compiled code is kept [default: `WRUN_CACHE_DIR`, else wrun in the XDG cache folder]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How it is written')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How it is written')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show progress on standard error: auto is on a terminal, after 300 ms')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'How log lines are written')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour messages; auto honours `NO_COLOR`')
            [CompletionResult]::new('--pretty', '--pretty', [CompletionResultType]::ParameterName, 'Indent JSON')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error (-vv: the engines too); `WRUN_LOG` takes a filter')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error (-vv: the engines too); `WRUN_LOG` takes a filter')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what failed, without hints')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what failed, without hints')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'wrun;cache' {
            [CompletionResult]::new('--max-size', '--max-size', [CompletionResultType]::ParameterName, 'What to prune to [default: `WRUN_CACHE_SIZE`, else 1GiB]')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Where compiled code is kept [default: `WRUN_CACHE_DIR`, else wrun in the XDG cache folder]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How it is written')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How it is written')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'How log lines are written')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour messages; auto honours `NO_COLOR`')
            [CompletionResult]::new('--remove', '--remove', [CompletionResultType]::ParameterName, 'Remove what verify finds to be bad')
            [CompletionResult]::new('--pretty', '--pretty', [CompletionResultType]::ParameterName, 'Indent JSON')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error (-vv: the engines too); `WRUN_LOG` takes a filter')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error (-vv: the engines too); `WRUN_LOG` takes a filter')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what failed, without hints')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what failed, without hints')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'wrun;completions' {
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'How log lines are written')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour messages; auto honours `NO_COLOR`')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more on standard error (-vv: the engines too); `WRUN_LOG` takes a filter')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more on standard error (-vv: the engines too); `WRUN_LOG` takes a filter')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what failed, without hints')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what failed, without hints')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
