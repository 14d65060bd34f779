using Dunlin.Bundles.State;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Updates;

namespace Dunlin.Agent.Racing;

/// <summary>What failed its checks on this board under this ONNX Runtime, remembered across restarts.</summary>
internal sealed class Quarantined(StateFiles files)
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
        files.WriteQuarantine(new Quarantine { Schema = Quarantine.CurrentSchema, Entries = [.. Entries.TakeLast(KeptCount)] });
    }

    private List<QuarantineEntry> Entries => _entries ??= [.. files.ReadQuarantine().Value?.Entries ?? []];
}
