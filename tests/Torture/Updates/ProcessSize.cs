namespace Dunlin.Torture.Updates;

/// <summary>What a process holds.</summary>
internal readonly record struct ProcessSize(double Megabytes, int Descriptors, int Threads)
{
    /// <param name="id">Of a process that runs.</param>
    public static ProcessSize Of(int id)
    {
        var status = File.ReadLines($"/proc/{id}/status").Select(line => line.Split(':', 2)).ToDictionary(pair => pair[0], pair => pair[1].Trim());
        // RssAnon leaves out the pages of mapped files, which the kernel takes back when it wants them.
        return new ProcessSize(Kilobytes(status["RssAnon"]) / 1024, Directory.GetFiles($"/proc/{id}/fd").Length, int.Parse(status["Threads"], System.Globalization.CultureInfo.InvariantCulture));
    }

    private static double Kilobytes(string text) => double.Parse(text.Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);
}
