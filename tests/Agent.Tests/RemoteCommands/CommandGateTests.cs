using Dunlin.Agent.RemoteCommands;
using Dunlin.Agent.Tests.Updates;
using Dunlin.Agent.Updates;
using Dunlin.Bundles.State;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Signing;
using Dunlin.Contracts.Updates;
using Dunlin.Telemetry.Commands;
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
    private readonly List<SignedCommand> _run = [];
    private readonly TrustState _trust;
    private readonly CommandGate _gate;

    public CommandGateTests()
    {
        _fleet = new Fleet(_folder["shelf"], SampleDocuments.Noon);
        var files = new StateFiles(new StateLayout(_folder.Sub("state")));
        files.WriteRoot(_fleet.SignedRoot());
        var identity = new LinkIdentity(new Topics(Fleet.Name, Fleet.Device), BootId, "0.1.0", SampleMessages.Status().Hardware);
        _trust = new TrustState(files, identity.Topics, new TrustedClock(_time, SampleDocuments.Noon.AddDays(-1), () => true), NullLogger<TrustState>.Instance);
        _trust.Load();
        _gate = new CommandGate(_trust, identity, _time);
    }

    [Fact]
    public async Task WhatTheOwnerSignsIsRunOnce()
    {
        var envelope = _fleet.Command(BootId);
        Assert.Equal((null, "debug"), (await CodeAsync(envelope), Assert.Single(_run).Level));
        Assert.Equal("command.replayed", await CodeAsync(envelope));
        Assert.Single(_run);
    }

    [Fact]
    public async Task WhatTheConfigurationDoesNotAllowIsNotRunAndTheKeyIsNamed()
    {
        var result = await Handler(isAllowed: false)(new CommandCall(null, _fleet.Command(BootId)), TestContext.Current.CancellationToken);
        Assert.Equal("command.disabled", result.Code);
        Assert.Contains(Key, result.Detail, StringComparison.Ordinal);
        Assert.Empty(_run);
    }

    [Fact]
    public async Task WhatSomebodyElseSignsOrIsForSomethingElseIsRefused()
    {
        Assert.Equal("command.unsigned", await CodeAsync(_fleet.Command(BootId, key: _fleet.Stranger)));
        Assert.Equal("command.unsigned", await CodeAsync(_fleet.Command(BootId, key: _fleet.ReleaseKey)));
        Assert.Equal("command.unsigned", await CodeAsync(_fleet.Command(BootId, type: MediaTypes.Directive)));
        Assert.Equal("command.misdirected", await CodeAsync(_fleet.Command(BootId, command => command with { Device = "camera-8" })));
        Assert.Equal("command.misdirected", await CodeAsync(_fleet.Command(BootId, command => command with { Fleet = "plant-b" })));
        Assert.Equal("command.misdirected", await CodeAsync(_fleet.Command(BootId, command => command with { Name = Command.Snapshot, Level = null, Seconds = null })));
        Assert.Equal("command.replayed", await CodeAsync(_fleet.Command("another-start")));
        Assert.Empty(_run);
        Assert.Null(await CodeAsync(_fleet.Command(BootId)));
    }

    [Fact]
    public async Task WhatComesLateIsRefused()
    {
        var envelope = _fleet.Command(BootId);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal("command.expired", await CodeAsync(envelope));
        Assert.Empty(_run);
    }

    [Fact]
    public async Task ADeviceWithoutARootTakesNone()
    {
        var bare = new TrustState(new StateFiles(new StateLayout(_folder.Sub("bare"))), new Topics(Fleet.Name, Fleet.Device), new TrustedClock(_time, SampleDocuments.Noon, () => true), NullLogger<TrustState>.Instance);
        bare.Load();
        var gate = new CommandGate(bare, new LinkIdentity(new Topics(Fleet.Name, Fleet.Device), BootId, "0.1.0", SampleMessages.Status().Hardware), _time);
        var result = await gate.Guard(Command.LogLevel, Key, isAllowed: true, RunAsync)(new CommandCall(null, _fleet.Command(BootId)), TestContext.Current.CancellationToken);
        Assert.Equal(UpdateCodes.NoRoot, result.Code);
        Assert.Empty(_run);
    }

    [Fact]
    public async Task NoncesAreForgottenOnceNoCommandCanHaveThemAnyMoreAndNotBefore()
    {
        for (var i = 0; i < 512; i++) Assert.Null(await CodeAsync(_fleet.Command(BootId)));
        Assert.Equal("command.rate-limited", await CodeAsync(_fleet.Command(BootId)));
        _time.Advance(SignedCommand.LongestValidity + TimeSpan.FromSeconds(1));
        _fleet.Now = _time.GetUtcNow();
        Assert.Null(await CodeAsync(_fleet.Command(BootId)));
    }

    public void Dispose()
    {
        _fleet.Dispose();
        _folder.Dispose();
    }

    private async Task<string?> CodeAsync(DsseEnvelope envelope) => (await Handler(isAllowed: true)(new CommandCall(null, envelope), TestContext.Current.CancellationToken)).Code;

    private CommandHandler Handler(bool isAllowed) => _gate.Guard(Command.LogLevel, Key, isAllowed, RunAsync);

    private Task<CommandResult> RunAsync(SignedCommand command, CancellationToken cancellationToken)
    {
        _run.Add(command);
        return Task.FromResult(new CommandResult());
    }
}
