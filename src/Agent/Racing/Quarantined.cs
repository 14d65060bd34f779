using Dunlin.Bundles.State;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Updates;
using Microsoft.Extensions.Logging;

namespace Dunlin.Agent.Racing;

/// <summary>What failed its checks on this board under this ONNX Runtime, remembered across restarts.</summary>
internal sealed partial class Quarantined(StateFiles files, ILogger<Quarantined> logger)
{
    private const int KeptCount = 256;

    private List<QuarantineEntry>? _entries;

    /// <summary>Why the variant must not be tried again, or null.</summary>
    public string? WhyNot(Variant variant) => Entries
        .FirstOrDefault(entry => entry.Digest == variant.Blob.Digest && entry.OnnxRuntimeVersion == OnnxRuntime.Version)?.Detail.TrimEnd('.');

    public void Add(Variant variant, string code, string detail, DateTimeOffset now)
    {
        if (WhyNot(variant) is not null) return;
        Entries.Add(new QuarantineEntry
        {
            Digest = variant.Blob.Digest,
            OnnxRuntimeVersion = OnnxRuntime.Version,
            Reason = code,
            Detail = detail,
            Time = now,
        });
        try
        {
            files.WriteQuarantine(new Quarantine { Schema = Quarantine.CurrentSchema, Entries = [.. Entries.TakeLast(KeptCount)] });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Until the next restart it is remembered in memory.
            LogNotWritten(variant.Id, e.Message);
        }
    }

    private List<QuarantineEntry> Entries => _entries ??= [.. files.ReadQuarantine().Value?.Entries ?? []];

    [LoggerMessage(Level = LogLevel.Warning, Message = "Quarantine of {Variant} not written: {Why}")]
    private partial void LogNotWritten(string variant, string why);
}
