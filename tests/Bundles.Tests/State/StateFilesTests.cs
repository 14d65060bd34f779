using Dunlin.Bundles.State;
using Dunlin.Contracts.Updates;
using Dunlin.TestKit;
using Dunlin.TestKit.Samples;

namespace Dunlin.Bundles.Tests.State;

public sealed class StateFilesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly StateFiles _files;

    public StateFilesTests() => _files = new StateFiles(new StateLayout(_folder["state-of-a-device"]));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void NothingIsAbsentNotDamaged()
    {
        Assert.Equal(StateCondition.Absent, _files.ReadFloors().Condition);
        Assert.Equal(StateCondition.Absent, _files.ReadJournal().Condition);
        Assert.Equal(StateCondition.Absent, _files.ReadRoot().Condition);
    }

    [Fact]
    public void WhatIsWrittenIsRead()
    {
        _files.WriteFloors(SampleDocuments.Floors());
        _files.WriteJournal(SampleDocuments.Journal());
        _files.WriteSeen(SampleDocuments.Seen());
        _files.WriteQuarantine(SampleDocuments.Quarantine());
        _files.WriteRoot(SampleDocuments.Envelope());
        Assert.Equal(11, _files.ReadFloors().Value!.Counter);
        Assert.Equal(UpdateState.Trial, _files.ReadJournal().Value!.State);
        Assert.Equal("trial.slow", Assert.Single(_files.ReadSeen().Value!.Directives).Value.Reason);
        Assert.Equal("golden.failed", Assert.Single(_files.ReadQuarantine().Value!.Entries).Reason);
        Assert.Single(_files.ReadRoot().Value!.Signatures);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{\"schema\":")]
    [InlineData("garbage")]
    public void ADamagedJournalIsReadFromItsBackup(string content)
    {
        _files.WriteJournal(SampleDocuments.Journal());
        File.WriteAllText(_files.Layout.Journal, content);
        var read = _files.ReadJournal();
        Assert.Equal(StateCondition.FromBackup, read.Condition);
        Assert.Equal(2, read.Value!.Tries);
        Assert.Contains(_files.Layout.Journal, read.Problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sha256:", "sha255:")]
    [InlineData("{", "")]
    public void ADamagedRecordOfSeenDirectivesIsReadFromItsBackup(string good, string damaged)
    {
        _files.WriteSeen(SampleDocuments.Seen());
        File.WriteAllText(_files.Layout.Seen, File.ReadAllText(_files.Layout.Seen).Replace(good, damaged, StringComparison.Ordinal));
        var read = _files.ReadSeen();
        Assert.Equal(StateCondition.FromBackup, read.Condition);
        Assert.Equal("trial.slow", Assert.Single(read.Value!.Directives).Value.Reason);
        Assert.Contains($"'{_files.Layout.Seen}' is damaged", read.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void ABitFlippedInTheFloorsIsReadFromTheBackupWithTheSameValues()
    {
        _files.WriteFloors(SampleDocuments.Floors());
        _files.WriteFloors(SampleDocuments.Floors() with { Counter = 99 });
        File.WriteAllText(_files.Layout.Floors, File.ReadAllText(_files.Layout.Floors).Replace("\"counter\":99", "\"counter\":19", StringComparison.Ordinal));
        var read = _files.ReadFloors();
        Assert.Equal(StateCondition.FromBackup, read.Condition);
        Assert.Equal(99, read.Value!.Counter);
    }

    [Fact]
    public void FloorsWithBothFilesDamagedAreNeverTakenForAFreshDevice()
    {
        _files.WriteFloors(SampleDocuments.Floors());
        File.WriteAllText(_files.Layout.Floors, "");
        File.Delete(StateLayout.Backup(_files.Layout.Floors));
        Assert.Equal(StateCondition.Damaged, _files.ReadFloors().Condition);
    }

    [Fact]
    public void FloorsFallUnderANewRootOnly()
    {
        _files.WriteFloors(SampleDocuments.Floors());
        Assert.Throws<InvalidOperationException>(() => _files.WriteFloors(SampleDocuments.Floors() with { Counter = 10 }));
        Assert.Throws<InvalidOperationException>(() => _files.WriteFloors(SampleDocuments.Floors() with { RootVersion = 2, SecurityEpoch = 0 }));
        _files.WriteFloors(SampleDocuments.Floors() with { RootVersion = 2, Counter = 0 });
        Assert.Equal(0, _files.ReadFloors().Value!.Counter);
    }

    [Fact]
    public void TheStateIsPrivateToItsUser()
    {
        _files.WriteFloors(SampleDocuments.Floors());
        const UnixFileMode group = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
        Assert.Equal(UnixFileMode.None, Mode(_files.Layout.Root) & group);
        Assert.Equal(UnixFileMode.None, Mode(Path.GetDirectoryName(_files.Layout.Floors)!) & group);
    }

    private static UnixFileMode Mode(string path) =>
        OperatingSystem.IsWindows() ? throw new PlatformNotSupportedException("These tests run on Linux.") : File.GetUnixFileMode(path);
}
