using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Dunlin.Agent.Configuration;

namespace Dunlin.Agent.Updates.Fetching;

/// <summary>Which artifact servers this device believes: chains are checked at the trusted time, since a board without a clock boots in 1970.</summary>
internal sealed class ServerTrust(UpdateOptions options, Func<DateTimeOffset> trustedNow)
{
    private string? _refusal;

    /// <summary>Why the last certificate was refused, in a sentence; null if it was not.</summary>
    public string? Refusal => Volatile.Read(ref _refusal);

    /// <exception cref="AccessFileException">Updates:ArtifactCaFile cannot be read.</exception>
    public SslClientAuthenticationOptions Options()
    {
        Volatile.Write(ref _refusal, null);
        var now = trustedNow();
        var policy = new X509ChainPolicy
        {
            RevocationMode = X509RevocationMode.NoCheck,
            VerificationTime = now.LocalDateTime,
            DisableCertificateDownloads = true,
        };
        policy.ApplicationPolicy.Add(new Oid("1.3.6.1.5.5.7.3.1"));
        if (options.ArtifactCaFile.Length > 0)
        {
            policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            Import(policy.CustomTrustStore);
        }
        return new SslClientAuthenticationOptions
        {
            CertificateChainPolicy = policy,
            RemoteCertificateValidationCallback = (sender, certificate, chain, errors) =>
            {
                if (errors == SslPolicyErrors.None) return true;
                var host = (sender as SslStream)?.TargetHostName ?? "the server";
                Volatile.Write(ref _refusal, Describe(host, certificate as X509Certificate2, chain, errors, now));
                return false;
            },
        };
    }

    private void Import(X509Certificate2Collection store)
    {
        try
        {
            store.ImportFromPemFile(options.ArtifactCaFile);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new AccessFileException("Updates:ArtifactCaFile", options.ArtifactCaFile, e.Message);
        }
    }

    private string Describe(string host, X509Certificate2? shown, X509Chain? chain, SslPolicyErrors errors, DateTimeOffset now)
    {
        if (shown is null) return $"{host} showed no certificate.";
        var status = chain?.ChainStatus.FirstOrDefault() ?? default;
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors))
        {
            return status.Status.HasFlag(X509ChainStatusFlags.NotTimeValid)
                ? $"The certificate of {host} is valid from {shown.NotBefore.ToUniversalTime():u} to {shown.NotAfter.ToUniversalTime():u}, and it is {now.ToUniversalTime():u} here; renew it, or set this board's clock."
                : $"The certificate of {host} is not signed by {(options.ArtifactCaFile.Length > 0 ? $"an authority in {options.ArtifactCaFile}" : "an authority that this system trusts")} ({status.Status}); check Updates:ArtifactCaFile.";
        }
        return $"The certificate of {host} is for another host; issue one with this name.";
    }
}
