using System.ComponentModel;
using System.Diagnostics;

namespace Dunlin.Telemetry.Power;

/// <summary>Runs <c>vcgencmd pmic_read_adc</c>, for at most a second.</summary>
internal static class Vcgencmd
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    public static (string? Output, string? Reason) ReadAdc()
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo("vcgencmd", ["pmic_read_adc"]) { RedirectStandardOutput = true, RedirectStandardError = true });
            if (process is null) return (null, "vcgencmd did not start");
            // Its output (about 1.5 kB) fits into a pipe, so that waiting first cannot block it.
            if (!process.WaitForExit(Patience))
            {
                process.Kill();
                return (null, $"vcgencmd took longer than {Patience.TotalSeconds} s");
            }
            return process.ExitCode == 0 ? (process.StandardOutput.ReadToEnd(), null) : (null, $"vcgencmd ended with {process.ExitCode}");
        }
        catch (Exception e) when (e is Win32Exception or InvalidOperationException or IOException)
        {
            return (null, e.Message);
        }
    }
}
