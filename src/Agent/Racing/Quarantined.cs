using System.Text;
using Dunlin.Agent.Children;
using Dunlin.Bundles.State;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Updates;
using Microsoft.Extensions.Logging;

namespace Dunlin.Agent.Racing;

/// <summary>What failed on this board, remembered across restarts: variants in their checks under this ONNX Runtime, releases in their trial. Thread-safe.</summary>
internal sealed partial class Quarantined(StateFiles files, ILogger<Quarantined> logger)
{
    private const int KeptCount = 256;

    private readonly Lock _gate = new();
    private List<QuarantineEntry>? _entries;

    /// <summary>Why the variant of a release must not be tried again, or null.</summary>
    public string? WhyNot(Digest release, Variant variant) =>
        (Find(variant.Blob.Digest, OnnxRuntime.Version) ?? Find(Of(release, variant), OnnxRuntime.Version))?.Detail.TrimEnd('.');

    /// <summary>The failed trial of a release, or null.</summary>
    public QuarantineEntry? Find(Digest release) => Find(release, null);

    /// <summary>A variant that failed in its checks: a file that crashes does so in every release; all else may be the manifest's doing, which the next one corrects.</summary>
    public void Add(Digest release, Variant variant, string code, string detail, DateTimeOffset now) => Add(new QuarantineEntry
    {
        Digest = IsOfTheFile(code) ? variant.Blob.Digest : Of(release, variant),
        OnnxRuntimeVersion = OnnxRuntime.Version,
        Reason = code,
        Detail = detail,
        Time = now,
    });

    /// <summary>A release that must not be tried again, whatever ONNX Runtime.</summary>
    public void Add(Digest release, string code, string detail, DateTimeOffset now) =>
        Add(new QuarantineEntry { Digest = release, Reason = code, Detail = detail, Time = now });

    private static bool IsOfTheFile(string code) => code is ChildExitCodes.Crashed or ChildExitCodes.Failed or ChildExitCodes.Forbidden or ChildExitCodes.Protocol;

    private static Digest Of(Digest release, Variant variant) => Digest.Of(Encoding.UTF8.GetBytes($"{release} {variant.Blob.Digest}"));

    private void Add(QuarantineEntry entry)
    {
        lock (_gate)
        {
            if (Find(entry.Digest, entry.OnnxRuntimeVersion) is not null) return;
            Entries.Add(entry);
            try
            {
                files.WriteQuarantine(new Quarantine { Schema = Quarantine.CurrentSchema, Entries = [.. Entries.TakeLast(KeptCount)] });
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Until the next restart it is remembered in memory.
                LogNotWritten(entry.Digest, e.Message);
            }
        }
    }

    private QuarantineEntry? Find(Digest digest, string? version)
    {
        lock (_gate) return Entries.FirstOrDefault(entry => entry.Digest == digest && entry.OnnxRuntimeVersion == version);
    }

    private List<QuarantineEntry> Entries => _entries ??= [.. files.ReadQuarantine().Value?.Entries ?? []];

    [LoggerMessage(Level = LogLevel.Warning, Message = "Quarantine of {Digest} not written: {Why}")]
    private partial void LogNotWritten(Digest digest, string why);
}
