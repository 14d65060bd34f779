using System.Text.Json;
using Dunlin.Bundles.Durability;
using Dunlin.Contracts;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Race;
using Microsoft.Extensions.Logging;

namespace Dunlin.Runtime.Racing;

/// <summary>Verdicts by fingerprint in a folder (<c>state/verdicts</c>), so that a start need not race. Thread-safe.</summary>
public sealed partial class VerdictStore(string folder, ILogger<VerdictStore> logger)
{
    private const int KeptCount = 32;
    private readonly Lock _gate = new();
    private const int MaximumByteCount = 1 << 20;

    /// <summary>The verdict of these conditions; null if there is none, or none that can be read, which is logged.</summary>
    public Verdict? Find(RaceConditions conditions) => Find(Fingerprint.Of(conditions));

    /// <inheritdoc cref="Find(RaceConditions)"/>
    public Verdict? Find(Digest fingerprint)
    {
        var path = PathOf(fingerprint);
        try
        {
            if (new FileInfo(path) is not { Exists: true, Length: <= MaximumByteCount }) return null;
            var verdict = JsonSerializer.Deserialize(File.ReadAllBytes(path), StrictJson.Default.Verdict);
            if (verdict is { Schema: Verdict.CurrentSchema } && verdict.Fingerprint == fingerprint && Fingerprint.Of(verdict.Conditions) == fingerprint)
                return verdict;
            LogIgnored(path, "it is not the verdict of its name", null);
        }
        catch (Exception exception) when (exception is JsonException or IOException or UnauthorizedAccessException)
        {
            LogIgnored(path, exception.Message, exception);
        }

        return null;
    }

    /// <summary>Keeps it durably, and the newest 32 in all.</summary>
    public void Save(Verdict verdict)
    {
        lock (_gate) Write(verdict);
    }

    /// <summary>The verdict as of other conditions: a failure in the race is quarantined and changes who may start. Saved if it has a winner; a disk that does not take it is logged.</summary>
    public Verdict Keep(Verdict verdict, RaceConditions conditions)
    {
        var kept = verdict with { Conditions = conditions, Fingerprint = Fingerprint.Of(conditions) };
        try
        {
            if (kept.Winner is not null) Save(kept);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            LogNotKept(exception.Message);
        }

        return kept;
    }

    private void Write(Verdict verdict)
    {
        Directory.CreateDirectory(folder);
        var path = PathOf(verdict.Fingerprint);
        DurableFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(verdict, StrictJson.Default.Verdict));
        // With a clock that is behind, the newest has the oldest time.
        var others = new DirectoryInfo(folder).GetFiles("*.json").Where(file => file.Name != Path.GetFileName(path));
        foreach (var old in others.OrderByDescending(file => file.LastWriteTimeUtc).Skip(KeptCount - 1)) old.Delete();
    }

    private string PathOf(Digest fingerprint) => Path.Combine(folder, fingerprint.Hex + ".json");

    [LoggerMessage(EventId = 411, Level = LogLevel.Warning, Message = "Verdict not kept, so the next start races again: {Why}")]
    private partial void LogNotKept(string why);

    [LoggerMessage(EventId = 410, Level = LogLevel.Warning, Message = "Ignored cached verdict {Path}: {Why}; the race is run again")]
    private partial void LogIgnored(string path, string why, Exception? exception);
}
