using Dunlin.Bundles.Layouts;
using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Signing;
using Dunlin.Fleet.Ledgers;
using Dunlin.Fleet.Signing;

namespace Dunlin.Fleet.Serving;

/// <summary>The online keys: they sign directives, commands and the beacon, and follow the root when it is rotated. Thread-safe.</summary>
internal sealed class ServerKeys : IDisposable
{
    private readonly Passphrase _passphrase;
    private readonly Lock _gate = new();
    private volatile KeyFolder _folder;
    private KeyRing _directive, _fresh;

    /// <exception cref="FleetException">A key is missing, or there are fewer than its role's threshold.</exception>
    public ServerKeys(KeyFolder folder, Passphrase passphrase)
    {
        (_folder, _passphrase) = (folder, passphrase);
        (_directive, _fresh) = Unlock(folder);
    }

    public string Fleet => _folder.Root.Fleet;

    public Root Root => _folder.Root;

    public RootChain Chain => new() { Schema = RootChain.CurrentSchema, Roots = _folder.Chain() };

    /// <summary>Takes up a root that was rotated meanwhile, with its keys; true if there is one.</summary>
    /// <exception cref="FleetException">There is one, and its keys are not at hand: the old root and its keys stay.</exception>
    public bool Refresh()
    {
        lock (_gate)
        {
            var folder = KeyFolder.Open(_folder.Path);
            if (folder.Root.Version == _folder.Root.Version) return false;
            var (directive, fresh) = Unlock(folder);
            _directive.Dispose();
            _fresh.Dispose();
            (_folder, _directive, _fresh) = (folder, directive, fresh);
            return true;
        }
    }

    public (Digest Digest, byte[] Envelope) SignDirective(PushOrder order, KnownRelease release, string device, long counter, DateTimeOffset now)
    {
        var payload = Directive.Format.Write(new Directive
        {
            Schema = Directive.CurrentSchema,
            Fleet = Fleet,
            Device = device,
            Counter = counter,
            Release = release.Id,
            Signature = BlobFile.Describe(release.Envelope),
            Sources = order.Sources,
            Issued = now,
            Expires = now + order.Validity,
            Policy = order.Policy,
        });
        lock (_gate) return (Digest.Of(payload), DsseEnvelope.Format.Write(_directive.Sign(MediaTypes.Directive, payload)));
    }

    public byte[] SignCommand(CommandOrder order, DateTimeOffset now)
    {
        var payload = SignedCommand.Format.Write(new SignedCommand
        {
            Schema = SignedCommand.CurrentSchema,
            Fleet = Fleet,
            Device = order.Device,
            BootId = order.BootId,
            Nonce = order.Nonce,
            Name = order.Request.Name,
            Issued = now,
            Expires = now + order.Validity,
            Level = order.Request.Level,
            Seconds = order.Request.Seconds,
        });
        lock (_gate) return DsseEnvelope.Format.Write(_directive.Sign(MediaTypes.Command, payload));
    }

    public byte[] SignFresh(string device, long counter, DateTimeOffset now, TimeSpan validity)
    {
        var payload = Fresh.Format.Write(new Fresh { Schema = Fresh.CurrentSchema, Fleet = Fleet, Device = device, Time = now, Counter = counter, Expires = now + validity });
        lock (_gate) return DsseEnvelope.Format.Write(_fresh.Sign(MediaTypes.Fresh, payload));
    }

    /// <summary>Whether devices of the present root may accept the envelope.</summary>
    public bool Vouches(SigningRole role, ReadOnlyMemory<byte> envelope) =>
        DsseEnvelope.Format.Read(envelope.Span) is { IsValid: true, Value: var read } && EnvelopeVerifier.Verify(read, role, Root).IsAccepted;

    public void Dispose()
    {
        _directive.Dispose();
        _fresh.Dispose();
    }

    private (KeyRing Directive, KeyRing Fresh) Unlock(KeyFolder folder)
    {
        var directive = Unlock(folder, SigningRole.Directive);
        try
        {
            return (directive, Unlock(folder, SigningRole.Fresh));
        }
        catch
        {
            directive.Dispose();
            throw;
        }
    }

    private KeyRing Unlock(KeyFolder folder, SigningRole role)
    {
        var ring = folder.Unlock(role, _passphrase);
        var threshold = RoleNames.Of(role, folder.Root).Threshold;
        if (ring.Keys.Count >= threshold) return ring;
        var count = ring.Keys.Count;
        ring.Dispose();
        throw new FleetException(ExitCodes.BelowThreshold, $"Root {folder.Root.Version} wants {threshold} keys for the role '{RoleNames.Name(role)}', and {count} are in '{folder.Path}'; bring the others.");
    }
}
