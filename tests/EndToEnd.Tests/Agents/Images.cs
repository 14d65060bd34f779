using System.Diagnostics;

namespace Dunlin.EndToEnd.Tests.Agents;

/// <summary>JPEG files that ffmpeg makes, and broken ones made of them.</summary>
internal static class Images
{
    private const string Encoder = "/usr/bin/ffmpeg";

    /// <summary>Fills a folder with a few frames of 640×480.</summary>
    public static async Task<string> FolderAsync(string folder, int count = 5)
    {
        if (!File.Exists(Encoder)) Assert.Skip($"{Encoder}, which makes the frames, is absent; install Debian's ffmpeg.");
        Directory.CreateDirectory(folder);
        using var process = Process.Start(Encoder, ["-v", "error", "-f", "lavfi", "-i", "testsrc=size=640x480:rate=1", "-frames:v", $"{count}", Path.Combine(folder, "frame-%03d.jpg")]);
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
        return folder;
    }

    /// <summary>The first 60 percent of a file.</summary>
    public static string Truncated(string image, string path)
    {
        var bytes = File.ReadAllBytes(image);
        File.WriteAllBytes(path, bytes[..(bytes.Length * 6 / 10)]);
        return path;
    }

    /// <summary>The same image, whose header claims arithmetic coding, which only some programs write.</summary>
    public static string ArithmeticCoded(string image, string path)
    {
        var bytes = File.ReadAllBytes(image);
        bytes[bytes.AsSpan().IndexOf(new byte[] { 0xFF, 0xC0 }) + 1] = 0xC9;
        File.WriteAllBytes(path, bytes);
        return path;
    }

    /// <summary>The same image, whose header claims 16383×16383 pixels.</summary>
    public static string Enormous(string image, string path)
    {
        var bytes = File.ReadAllBytes(image);
        // Start of frame (baseline): FF C0, length, precision, height, width.
        var frame = bytes.AsSpan().IndexOf(new byte[] { 0xFF, 0xC0 });
        new byte[] { 0x3F, 0xFF, 0x3F, 0xFF }.CopyTo(bytes, frame + 5);
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
