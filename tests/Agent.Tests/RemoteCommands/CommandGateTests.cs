using Dunlin.Agent.RemoteCommands;
using Dunlin.Agent.Tests.Updates;
using Dunlin.Agent.Updates;
using Dunlin.Bundles.State;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Signing;
using Dunlin.Contracts.Updates;
using Dunlin.Telemetry.Link;
using Dunlin.TestKit;
using Dunlin.TestKit.Samples;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Dunlin.Agent.Tests.RemoteCommands;

/// <summary>Nobody but the fleet's owner, nothing twice, nothing late, nothing for another, and nothing at all unless this device allows it.</summary>
public sealed class CommandGateTests : IDisposable
{
    private const string BootId = "4be0643f1d98573b", Key = "Commands:LogLevel";

    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new(SampleDocuments.Noon);
    private readonly Fleet _fleet;
    private readonly TrustedClock _clock;
    private readonly TrustState _trust;
    private readonly CommandGate _gate;
    private bool _isSynchronized = true;
    private SignedCommand? _accepted;

    public CommandGateTests()
    {
        _fleet = new Fleet(_folder["shelf"], SampleDocuments.Noon);
        var files = new StateFiles(new StateLayout(_folder.Sub("state")));
        files.WriteRoot(_fleet.SignedRoot());
        _clock = new TrustedClock(_time, SampleDocuments.Noon.AddDays(-1), () => _isSynchronized);
        var identity = new LinkIdentity(new Topics(Fleet.Name, Fleet.Device), BootId, "0.1.0", SampleMessages.Status().Hardware);
        _trust = new TrustState(files, identity.Topics, _clock, NullLogger<TrustState>.Instance);
        _trust.Load();
        _gate = new CommandGate(_trust, identity, _clock, _time);
    }

    [Fact]
    public void WhatTheOwnerSignsIsRunOnce()
    {
        var envelope = _fleet.Command(BootId);
        Assert.Equal((null, "debug"), (Code(envelope), _accepted!.Level));
        Assert.Equal("command.replayed", Code(envelope));
    }

    [Fact]
    public void WhatTheConfigurationDoesNotAllowIsNotRunAndTheKeyIsNamed()
    {
        var (command, refusal) = _gate.Guard(Command.LogLevel, Key, isAllowed: false)(_fleet.Command(BootId));
        Assert.Equal((null, "command.disabled"), (command, refusal!.Code));
        Assert.Contains(Key, refusal.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatSomebodyElseSignsOrIsForSomethingElseIsRefused()
    {
        Assert.Equal("command.unsigned", Code(_fleet.Command(BootId, key: _fleet.Stranger)));
        Assert.Equal("command.unsigned", Code(_fleet.Command(BootId, key: _fleet.ReleaseKey)));
        Assert.Equal("command.unsigned", Code(_fleet.Command(BootId, type: MediaTypes.Directive)));
        Assert.Equal("command.misdirected", Code(_fleet.Command(BootId, command => command with { Device = "camera-8" })));
        Assert.Equal("command.misdirected", Code(_fleet.Command(BootId, command => command with { Fleet = "plant-b" })));
        Assert.Equal("command.misdirected", Code(_fleet.Command(BootId, command => command with { Name = Command.Snapshot, Level = null, Seconds = null })));
        Assert.Equal("command.replayed", Code(_fleet.Command("another-start")));
        Assert.Null(Code(_fleet.Command(BootId)));
    }

    [Fact]
    public void WhatComesLateIsRefused()
    {
        var envelope = _fleet.Command(BootId);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal("command.expired", Code(envelope));
    }

    [Fact]
    public void ADeviceWithoutARootTakesNone()
    {
        var bare = new TrustState(new StateFiles(new StateLayout(_folder.Sub("bare"))), new Topics(Fleet.Name, Fleet.Device), _clock, NullLogger<TrustState>.Instance);
        bare.Load();
        var gate = new CommandGate(bare, new LinkIdentity(new Topics(Fleet.Name, Fleet.Device), BootId, "0.1.0", SampleMessages.Status().Hardware), _clock, _time);
        Assert.Equal(UpdateCodes.NoRoot, gate.Guard(Command.LogLevel, Key, isAllowed: true)(_fleet.Command(BootId)).Refusal!.Code);
    }

    [Fact]
    public void NothingIsRunTwiceHoweverFarTheBoardsClockIsBehind()
    {
        _isSynchronized = false;
        _fleet.Now += TimeSpan.FromDays(2);
        var envelope = _fleet.Command(BootId);
        Assert.Null(Code(envelope));
        _time.Advance(SignedCommand.LongestValidity + TimeSpan.FromMinutes(1));
        Assert.Equal("command.replayed", Code(envelope));
    }

    [Fact]
    public void WhatHasExpiredStaysSoWhenTheClockFallsBack()
    {
        var envelope = _fleet.Command(BootId);
        Assert.Null(Code(envelope));
        _time.Advance(TimeSpan.FromMinutes(2));
        _fleet.Now = _time.GetUtcNow();
        Assert.Null(Code(_fleet.Command(BootId)));
        _isSynchronized = false;
        _clock.Reset(SampleDocuments.Noon.AddDays(-1));
        Assert.Equal("command.expired", Code(envelope));
    }

    [Fact]
    public void OfMoreCommandsThanAreRememberedTheOldestAreExpired()
    {
        _isSynchronized = false;
        var first = _fleet.Command(BootId);
        Assert.Null(Code(first));
        _fleet.Now += TimeSpan.FromSeconds(1);
        for (var i = 0; i < 512; i++) Assert.Null(Code(_fleet.Command(BootId)));
        Assert.Equal("command.expired", Code(first));
    }

    [Fact]
    public void WhatWaitedForAnotherUntilItExpiredIsNotRun()
    {
        Assert.Null(Code(_fleet.Command(BootId)));
        Assert.Null(_gate.WhyTooLate(_accepted!));
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal("command.expired", _gate.WhyTooLate(_accepted!)!.Code);
    }

    public void Dispose()
    {
        _fleet.Dispose();
        _folder.Dispose();
    }

    private string? Code(DsseEnvelope envelope)
    {
        (var command, var refusal) = _gate.Guard(Command.LogLevel, Key, isAllowed: true)(envelope);
        Assert.True(command is null != refusal is null);
        _accepted = command ?? _accepted;
        return refusal?.Code;
    }
}
