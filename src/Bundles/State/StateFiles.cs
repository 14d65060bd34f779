using Dunlin.Bundles.Durability;
using Dunlin.Contracts.Documents;
using Dunlin.Contracts.Signing;
using Dunlin.Contracts.Updates;

namespace Dunlin.Bundles.State;

/// <summary>
/// The records below the state folder, each written durably. Floors, journal and seen directives have a backup of the same content,
/// written after them: at any instant one of the two is whole and none is older than the last completed write but one.
/// One writer; not thread-safe.
/// </summary>
public sealed class StateFiles(StateLayout layout)
{
    private const int MaximumByteCount = 8 * 1024 * 1024;

    public StateLayout Layout { get; } = layout;

    /// <summary>The envelope of the trusted root. It was verified before it was written, so it is not verified again.</summary>
    public StateRead<DsseEnvelope> ReadRoot() => Read(Layout.TrustRoot, DsseEnvelope.Format, hasBackup: false);

    /// <summary>Written before the floors that stand under it; <see cref="Trust.FloorRules.Under"/> bridges a crash in between.</summary>
    public void WriteRoot(DsseEnvelope envelope) => Write(Layout.TrustRoot, DsseEnvelope.Format.Write(envelope), hasBackup: false);

    /// <summary>The envelope of the newest accepted fresh document: a restart must not forget that it has expired.</summary>
    public StateRead<DsseEnvelope> ReadFresh() => Read(Layout.Fresh, DsseEnvelope.Format, hasBackup: false);

    public void WriteFresh(DsseEnvelope envelope) => Write(Layout.Fresh, DsseEnvelope.Format.Write(envelope), hasBackup: false);

    public StateRead<Floors> ReadFloors() => Read(Layout.Floors, Floors.Format, hasBackup: true);

    /// <exception cref="InvalidOperationException">They would lower the stored ones under the same root.</exception>
    public void WriteFloors(Floors floors)
    {
        if (ReadFloors().Value is { } old && (floors.RootVersion < old.RootVersion || floors.SecurityEpoch < old.SecurityEpoch
            || (floors.RootVersion == old.RootVersion && (floors.Counter < old.Counter || floors.Time < old.Time))))
            throw new InvalidOperationException($"The floors {floors} lie below the stored {old}; floors fall under a new root only.");
        Write(Layout.Floors, Floors.Format.Write(floors), hasBackup: true);
    }

    public StateRead<Journal> ReadJournal() => Read(Layout.Journal, Journal.Format, hasBackup: true);

    /// <summary>Returns when the journal is on the disk; only then may the action that it names begin.</summary>
    public void WriteJournal(Journal journal) => Write(Layout.Journal, Journal.Format.Write(journal), hasBackup: true);

    public StateRead<Seen> ReadSeen() => Read(Layout.Seen, Seen.Format, hasBackup: true);

    public void WriteSeen(Seen seen) => Write(Layout.Seen, Seen.Format.Write(seen), hasBackup: true);

    public StateRead<Quarantine> ReadQuarantine() => Read(Layout.Quarantine, Quarantine.Format, hasBackup: false);

    public void WriteQuarantine(Quarantine quarantine) => Write(Layout.Quarantine, Quarantine.Format.Write(quarantine), hasBackup: false);

    public StateRead<IdlePowerRecord> ReadIdlePower() => Read(Layout.IdlePower, IdlePowerRecord.Format, hasBackup: false);

    public void WriteIdlePower(IdlePowerRecord record) => Write(Layout.IdlePower, IdlePowerRecord.Format.Write(record), hasBackup: false);

    private static void Write(string path, byte[] content, bool hasBackup)
    {
        DurableFile.CreateDirectory(Path.GetDirectoryName(path)!);
        DurableFile.Write(path, content);
        if (hasBackup) DurableFile.Write(StateLayout.Backup(path), content);
    }

    private static StateRead<T> Read<T>(string path, DocumentFormat<T> format, bool hasBackup)
        where T : class
    {
        var (value, problem) = ReadOne(path, format);
        if (value is not null) return new(StateCondition.Good, value, null);
        var backup = hasBackup ? StateLayout.Backup(path) : null;
        var (backupValue, backupProblem) = backup is null ? (null, null) : ReadOne(backup, format);
        if (backupValue is not null) return new(StateCondition.FromBackup, backupValue, problem ?? $"'{path}' is missing; its backup is used.");
        return problem is null && backupProblem is null
            ? new(StateCondition.Absent, null, null)
            : new(StateCondition.Damaged, null, string.Join(" ", ((string?[])[problem, backupProblem]).OfType<string>()));
    }

    private static (T? Value, string? Problem) ReadOne<T>(string path, DocumentFormat<T> format)
        where T : class
    {
        try
        {
            if (!File.Exists(path)) return (null, null);
            if (new FileInfo(path).Length > MaximumByteCount) return (null, $"'{path}' has more than {MaximumByteCount} bytes.");
            var read = format.Read(File.ReadAllBytes(path));
            return read.IsValid ? (read.Value, null) : (null, $"'{path}' is damaged: {string.Join(" ", read.Errors)}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return (null, $"'{path}' is unreadable: {e.Message}");
        }
    }
}
