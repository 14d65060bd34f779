using System.Diagnostics;

namespace Dunlin.Torture.Updates;

/// <summary>Copies folders as they are, with their links, while nobody changes them.</summary>
internal static class Trees
{
    /// <param name="from">A folder.</param>
    /// <param name="to">Must not be there.</param>
    public static void Copy(string from, string to) => Run("cp", "-a", from, to);

    public static void Delete(string path)
    {
        if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
    }

    public static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"'{program} {string.Join(' ', arguments)}' ended with {process.ExitCode}: {errors}");
    }
}
