using Dunlin.Contracts.Worker;

namespace Dunlin.Agent.Heats;

/// <summary>Whether a model that could not be saved is to blame, or the disk: ONNX Runtime's message does not tell.</summary>
internal static class SaveRoom
{
    /// <summary>The board's want, not the model's fault.</summary>
    public const string Missing = "cache.unwritable";

    private const int GraphByteCount = 256 * 1024;

    /// <summary>Tries to write as much as the model has; what lies in its folder is given up.</summary>
    public static bool IsThere(Prepare prepare)
    {
        try
        {
            foreach (var left in Directory.EnumerateFiles(prepare.OutputDirectory)) File.Delete(left);
            var path = Path.Combine(prepare.OutputDirectory, "room");
            using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0, FileOptions.DeleteOnClose);
            var zeros = new byte[GraphByteCount];
            var needed = new FileInfo(prepare.Session.ModelPath).Length + GraphByteCount;
            for (var written = 0L; written < needed; written += zeros.Length) file.Write(zeros);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
