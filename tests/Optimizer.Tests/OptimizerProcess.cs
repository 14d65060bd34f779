using System.Diagnostics;

namespace Dunlin.Optimizer.Tests;

/// <summary>The program in a process of its own, as a person starts it.</summary>
internal static class OptimizerProcess
{
    public static string Program => Path.ChangeExtension(typeof(OptimizerCommand).Assembly.Location, null);

    /// <summary>Hears Ctrl-C also where a shell's background hands on that SIGINT is ignored.</summary>
    public static Process Start(params IEnumerable<string> arguments) =>
        Process.Start(new ProcessStartInfo("env", ["--default-signal=INT", Program, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!;

    /// <summary>At a terminal of 100 columns, which it takes for a person's.</summary>
    public static Process StartAtTerminal(params IEnumerable<string> arguments)
    {
        var command = string.Join(' ', arguments.Prepend(Program).Select(word => $"'{word}'"));
        return Process.Start(new ProcessStartInfo("env", ["--default-signal=INT", "--unset=NO_COLOR", "script", "-qec", $"stty cols 100; TERM=xterm {command}", "/dev/null"]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
    }

    /// <summary>Looks until something is so, or the process has ended.</summary>
    public static async Task Until(this Process process, Func<bool> isSo)
    {
        while (!isSo() && !process.HasExited) await Task.Delay(10, TestContext.Current.CancellationToken);
    }

    public static async Task PressCtrlC(this Process process)
    {
        await process.StandardInput.WriteAsync('\x3');
        await process.StandardInput.FlushAsync(TestContext.Current.CancellationToken);
    }

    public static async Task<int> Ended(this Process process)
    {
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return process.ExitCode;
    }
}
